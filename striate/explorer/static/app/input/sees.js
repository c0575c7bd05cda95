// What the network sees: each step of preparation with its range, beside that of training pictures.

import { h, put } from "../dom.js";
import { fixed, value } from "../numbers.js";
import { painted, pictured } from "../colour.js";
import { onFrame, set, state } from "../state.js";

/** The table, which follows the input. */
export function sees() {
  const rows = h("tbody"), warning = h("div", { class: "warning", hidden: true }), large = h("figure", { class: "step-large", hidden: true });
  const canvases = {}; // by step, drawn on again and again
  let opened = "";
  const enlarge = () => {
    const row = [...rows.children].find((one) => one.dataset.step === opened);
    large.hidden = !row;
    if (row) put(large, enlarged(row.querySelector("canvas")), h("figcaption", { class: "soft" }, `${opened}: ${row.title}`));
    for (const one of rows.querySelectorAll("button")) one.setAttribute("aria-expanded", String(one.closest("tr") === row));
  };
  rows.addEventListener("click", ({ target }) => {
    const step = target.closest("button")?.closest("tr").dataset.step;
    if (step === undefined) return;
    opened = step === opened ? "" : step;
    enlarge();
    large.scrollIntoView({ block: "nearest" });
  });
  onFrame("input columns model themed", () => {
    if (!state.model || !state.input) return;
    put(rows, steps(canvases));
    enlarge();
    warn(warning);
  });
  return h("section", { class: "sees" },
    h("h3", {}, "What the network sees"), warning,
    h("table", {}, h("thead", {}, h("tr", {}, ["", "step", "min", "mean", "max"].map((name) => h("th", { scope: "col" }, name)))), rows), large);
}

function steps(canvases) {
  const { input, model } = state;
  const drawn = (name, one) => { canvases[name] = pictured(one, canvases[name]); return canvases[name]; };
  const made = input.steps?.map((step) => row(drawn(step.name, step), step.name, step.told, range(step.pixels)))
    ?? [row(drawn("pixels", { ...input, ...model.grid }), "pixels", "as drawn, bytes", range(input.pixels))];
  const columns = state.columns ?? [];
  for (const column of preparing(model)) {
    const seen = columns[column.id];
    if (!seen) break;
    const first = seen.levels.subarray(0, seen.height * seen.width);
    const key = `layer ${column.name}`;
    canvases[key] = painted(first, seen.width, seen.height, 1, canvases[key]);
    made.push(row(canvases[key], column.name, column.type, [seen.least, seen.mean, seen.most]));
  }
  const { training } = model;
  if (training) made.push(row(null, "training", "the pictures that it was trained on, in bytes", [training.min, training.mean, training.max], "like"));
  return made;
}

/** Layers without weights at the beginning of the network, as long as nothing branches off. */
function preparing(model) {
  const found = [];
  for (const column of model.columns.slice(1)) {
    if (column.parameters || !["pointwise", "passes"].includes(column.kind) || column.activation) break;
    if (column.kind === "pointwise") found.push(column);
  }
  return found;
}

function row(canvas, name, told, [least, mean, most], kind = "") {
  return h("tr", { class: kind, title: told, "data-step": name },
    h("td", {}, canvas && h("button", { type: "button", class: "step-open", "aria-label": `Enlarge ${name}` }, canvas)), h("th", { scope: "row" }, name),
    [least, mean, most].map((number) => h("td", { class: "number" }, short(number))));
}

/** A copy with sharp pixels, as wide as the panel. */
function enlarged(canvas) {
  const copy = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  copy.getContext("2d").drawImage(canvas, 0, 0);
  return copy;
}

function short(number) {
  return Number.isInteger(number) ? String(number) : Math.abs(number) >= 10 ? fixed(number, 1) : value(Number(number?.toPrecision(3)));
}

function range(pixels) {
  let least = 255, most = 0, sum = 0;
  for (const one of pixels) {
    least = Math.min(least, one);
    most = Math.max(most, one);
    sum += one;
  }
  return [least, sum / pixels.length, most];
}

/** Say where the picture is unlike those of training; inverted, if that would make it like them. */
function warn(place) {
  const { input, model: { training } } = state;
  const [, mean] = range(input.pixels);
  const empty = input.pixels.every((one) => one === input.pixels[0]);
  const odd = training && !empty && (mean < training.low || mean > training.high);
  place.hidden = !odd;
  if (!odd) return;
  const turned = 255 - mean;
  const inverted = turned >= training.low && turned <= training.high;
  put(place, `Mean ${fixed(mean, 0)}; training pictures have ${fixed(training.low, 0)} to ${fixed(training.high, 0)}.`,
    inverted && h("button", { type: "button", onclick: () => set({ input: { ...input, pixels: input.pixels.map((one) => 255 - one), steps: undefined } }) }, "Inverted? Turn it"));
}
