// Stages: each step of the arithmetic with what it reads and what it comes to.

import { h, head, put } from "../dom.js";
import { fixed, value } from "../numbers.js";
import { grid, largest, rowsOf, short, taken } from "./grids.js";

const SHOWN = 6; // parts of a sum that are opened at once, the largest ones

/** All steps of a unit. */
export function stages(found) {
  taken();
  return h("ol", { class: "stages" }, found.stages.map((stage, at) => h("li", { class: "reckoning" },
    h("header", {}, h("span", { class: "step" }, at + 1), h("b", {}, stage.title),
      h("span", { class: "formula" }, stage.formula), h("span", { class: "result" }, `= ${value(stage.value)}`)),
    read(stage))));
}

function read(stage) {
  const opened = stage.parts.filter((part) => size(part.x));
  if (!opened.length || stage.kind === "moved") return null;
  if (opened.every((part) => !Array.isArray(part.x[0]) && part.x.length > 1)) return opened.map((part) => terms(part, stage));
  return patches(opened, stage);
}

function size(x) {
  return Array.isArray(x) ? x.flat(Infinity).length : 1;
}

/** Patch times kernel for each channel, the strongest first. */
function patches(parts, stage) {
  const sorted = [...parts].sort((a, b) => Math.abs(b.total) - Math.abs(a.total));
  const peaks = ["x", "weights", "products"].map((name) => largest(...parts.map((part) => part[name])));
  const place = h("div", { class: "patches", tabindex: 0, role: "group", "aria-label": "patches, kernels and products" });
  const show = (many) => put(place, sorted.slice(0, many).map((part) => patch(part, stage, peaks)),
    sorted.length > many && h("button", { type: "button", class: "more", onclick: () => show(sorted.length) }, `and ${sorted.length - many} more`));
  show(SHOWN);
  return place;
}

function patch(part, stage, [xPeak, weightPeak, productPeak]) {
  const padding = part.padding && rowsOf(part.padding);
  const winner = stage.numbers.winner ?? (part.input < 0 ? stage.numbers.place : undefined);
  const row = [grid(part.name, rowsOf(part.x), xPeak, padding, winner)];
  if (part.weights) row.push(h("span", { class: "sign" }, "×"), grid("kernel", rowsOf(part.weights), weightPeak));
  if (part.products) row.push(h("span", { class: "sign" }, "="), grid("products", rowsOf(part.products), productPeak, padding));
  if (part.weights) row.push(h("span", { class: "sign sum" }, "Σ ", h("b", {}, short(part.total))));
  return h("div", { class: "patch" }, row);
}

/** The terms of a long sum as a table with bars. */
function terms(part, stage) {
  const shown = part.products ?? part.x;
  const peak = largest(shown);
  const exponents = stage.kind === "softmax";
  const places = part.axes.find((axis) => axis.length === part.x.length) ?? part.x.map((_, at) => at);
  return h("div", { class: "terms" }, h("p", { class: "soft" }, part.name),
    h("table", {}, head(["input", "value", part.weights && "weight", exponents ? "exponential" : part.products && "product", ""]
      .filter((name) => name !== null && name !== undefined && name !== false)),
    h("tbody", {}, part.x.map((one, at) => h("tr", {},
      h("th", { scope: "row" }, places[at]), h("td", { class: "number" }, fixed(one)),
      part.weights && h("td", { class: "number" }, fixed(part.weights[at])),
      part.products && h("td", { class: "number" }, fixed(part.products[at])),
      h("td", { class: "term" }, h("i", { class: shown[at] < 0 ? "below" : "", style: { width: `${(60 * Math.abs(shown[at])) / peak}px` } })))))));
}
