// What if: the network without a map, or with a stronger kernel; the picture without a part.

import { h, put } from "../dom.js";
import { on, set, state } from "../state.js";
import { percent } from "../numbers.js";
import { line } from "./said.js";
import { ground, keep, masking } from "../input/sheet.js";

/** The changes that are in force, and how to make one. */
export function whatIf() {
  const list = h("ul", { class: "edits" }), effect = h("p", { class: "soft" });
  const silence = h("button", { type: "button", onclick: () => add({ factor: 0, kernel: false }) }, "Silence map");
  const factor = h("input", { type: "range", min: -1, max: 3, step: 0.1, value: 1, "aria-label": "Factor of the kernel", onchange: () => add({ factor: Number(factor.value), kernel: true }) });
  const scale = h("label", { class: "slider" }, h("span", {}, "kernel ×"), factor, h("output", {}, "1"));
  factor.addEventListener("input", () => { scale.lastChild.textContent = factor.value; });
  const mask = h("button", { type: "button", title: "Take away what the chosen unit sees; Erase does it by hand", onclick: masked }, "Mask its view");
  const hint = h("p", { class: "soft" }, "Click a unit of the network, then change it.");
  const tools = h("div", { class: "whatif" }, h("div", { class: "buttons" }, silence, mask), scale);

  on("unit edits model answer before", () => {
    const { unit, model, edits } = state;
    const kind = unit && model ? model.columns[unit.column].kind : "";
    tools.hidden = !unit;
    hint.hidden = Boolean(unit) || edits.length > 0;
    scale.hidden = !["convolution", "dense"].includes(kind);
    silence.textContent = model?.columns[unit?.column]?.vector ? "Silence unit" : "Silence map";
    put(list, edits.map((edit, at) => h("li", {}, told(edit),
      h("button", { type: "button", class: "icon", "aria-label": `Undo: ${told(edit)}`, onclick: () => set({ edits: edits.filter((_, other) => other !== at) }) }, "×"))));
    put(effect, state.before && state.answer && changed());
  });
  return h("section", { class: "part", "aria-label": "What if" }, h("header", {}, h("h3", {}, "What if")), hint, tools, list, effect);
}

function add(change) {
  const { layer, channel } = state.unit;
  const others = state.edits.filter((one) => one.layer !== layer || one.channel !== channel || one.kernel !== change.kernel);
  set({ edits: change.kernel && change.factor === 1 ? others : [...others, { layer, channel, ...change }] });
}

function told({ layer, channel, factor, kernel }) {
  return kernel ? `${layer}: kernel ${channel} × ${factor}` : `${layer}: ${channel} silent`;
}

function changed() {
  const { before, answer, model } = state;
  const at = before.best;
  if (model.gives !== "classes" || before.lost || answer.lost) return `${line(before, model)} → ${line(answer, model)}`;
  return `${model.classes[at] ?? at}: ${percent(before.probabilities[at])} → ${percent(answer.probabilities[at])}` +
    (answer.best === at ? "" : `, now ${model.classes[answer.best] ?? answer.best}`);
}

/** Put the ground of the sheet where the chosen unit looks; undo brings the picture back. */
function masked() {
  const seen = state.unitFound?.field?.[0];
  if (!seen) return;
  const { width, channels } = state.model.grid, pixels = Uint8Array.from(state.input.pixels);
  for (let y = seen.rows[0]; y < seen.rows[1]; y += 1) {
    pixels.fill(ground(), (y * width + seen.cols[0]) * channels, (y * width + seen.cols[1]) * channels);
  }
  keep();
  set(masking(pixels));
}
