// What the network sees: each step of preparation with its range, beside that of training pictures.

import { h, head, put } from "../dom.js";
import { fixed, value } from "../numbers.js";
import { painted, pictured } from "../colour.js";
import { on, onFrame, set, state } from "../state.js";

/** The table, which follows the input; its rows are kept, and changed as the pen moves. */
export function sees() {
  const body = h("tbody"), warning = warned();
  const large = h("canvas", { "aria-hidden": "true" }), caption = h("figcaption", { class: "soft" });
  const figure = h("figure", { class: "step-large", hidden: true }, large, caption);
  const rows = new Map(); // by step
  let opened = "";
  const enlarge = () => {
    const one = rows.get(opened);
    figure.hidden = !one?.canvas.width || !body.contains(one.element);
    if (!figure.hidden) copied(one.canvas, large);
    caption.textContent = figure.hidden ? "" : `${one.name}: ${one.element.title}`;
    for (const { button, element } of rows.values()) button.setAttribute("aria-expanded", String(!figure.hidden && one.element === element));
  };
  body.addEventListener("click", ({ target }) => {
    const step = target.closest("button")?.closest("tr").dataset.step;
    if (step === undefined) return;
    opened = step === opened ? "" : step;
    enlarge();
    figure.scrollIntoView({ block: "nearest" });
  });
  on("model", () => rows.clear());
  onFrame("input columns model themed", () => {
    if (!state.model || !state.input) return;
    const made = steps().map((step) => {
      const key = `${step.kind} ${step.name}`; // a layer may be called like a step of the file
      if (!rows.has(key)) rows.set(key, row(key, step.name));
      return written(rows.get(key), step);
    });
    if (made.length !== body.children.length || made.some((one, at) => one !== body.children[at])) put(body, made);
    enlarge();
    warning.write();
  });
  return h("section", { class: "sees" },
    h("h3", {}, "What the network sees"), warning.place,
    h("table", {}, head(["", "step", "min", "mean", "max"]), body), figure);
}

/** The steps from the picture to the first layer with weights: a name, a text, a range, and how each is drawn. */
function steps() {
  const { input, model, columns } = state;
  const made = input.steps?.map((step) => ({ kind: "given", name: step.name, told: step.told, range: range(step.pixels), draw: (into) => pictured(step, into) }))
    ?? [{ kind: "given", name: "pixels", told: "as drawn, bytes", range: range(input.pixels), draw: (into) => pictured({ ...input, ...model.grid }, into) }];
  for (const column of preparing(model)) {
    const seen = columns?.[column.id];
    if (!seen) break;
    const first = seen.levels.subarray(0, seen.height * seen.width);
    made.push({
      kind: "layer", name: column.name, told: column.type, range: [seen.least, seen.mean, seen.most],
      draw: (into) => painted(first, seen.width, seen.height, 1, into),
    });
  }
  const { training } = model;
  if (training) made.push({ kind: "like", name: "training", told: "the pictures that it was trained on, in bytes", range: [training.min, training.mean, training.max] });
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

/** The elements of one step. */
function row(key, name) {
  const canvas = h("canvas", { "aria-hidden": "true", width: 0 });
  const button = h("button", { type: "button", class: "step-open", "aria-label": `Enlarge ${name}` }, canvas);
  const numbers = [0, 1, 2].map(() => h("td", { class: "number" }));
  return { name, canvas, button, numbers, element: h("tr", { "data-step": key }, h("td", {}, button), h("th", { scope: "row" }, name), numbers) };
}

function written({ canvas, button, numbers, element }, { told, range: values, draw, kind }) {
  element.title = told;
  element.className = kind;
  button.hidden = !draw;
  draw?.(canvas);
  numbers.forEach((cell, at) => { cell.textContent = short(values[at]); });
  return element;
}

/** A copy with sharp pixels, as wide as the panel. */
function copied(canvas, into) {
  Object.assign(into, { width: canvas.width, height: canvas.height });
  into.getContext("2d").drawImage(canvas, 0, 0);
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

/** What says that the picture is unlike those of training; inverted, if that would make it like them. */
function warned() {
  const text = h("span"), turn = h("button", { type: "button", onclick: () => {
    const { input } = state;
    set({ input: { ...input, pixels: input.pixels.map((one) => 255 - one), steps: undefined } });
  } }, "Inverted? Turn it");
  const place = h("div", { class: "warning", hidden: true }, text, turn);
  return { place, write() {
    const { input, model: { training } } = state;
    const [least, mean, most] = range(input.pixels);
    place.hidden = !training || least === most || (mean >= training.low && mean <= training.high);
    if (place.hidden) return;
    text.textContent = `Mean ${fixed(mean, 0)}; training pictures have ${fixed(training.low, 0)} to ${fixed(training.high, 0)}.`;
    const turned = 255 - mean;
    turn.hidden = turned < training.low || turned > training.high;
  } };
}
