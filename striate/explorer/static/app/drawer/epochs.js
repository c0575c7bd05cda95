// Epochs: the network as it was; maps, units and the answer follow the slider.

import { post, trying } from "../api.js";
import { h, put } from "../dom.js";
import { percent } from "../numbers.js";
import { on, set, state } from "../state.js";
import { said } from "../output/said.js";
import { whenOpen } from "./open.js";
import { looked, row, slid } from "./kernels.js";

const KERNELS = 16; // that are shown below the slider

/** The tab. */
export function epochsTab() {
  const slider = h("input", { type: "range", min: 0, step: 1, "aria-label": "Epoch", oninput: () => chosen(Number(slider.value)) });
  const name = h("b"), answers = h("div", { class: "epoch-answers" }), kernels = h("section");
  const none = h("p", { class: "soft hint" }, "This run kept no weights of its epochs. A network of at most 4 MB that striate train or striate run trains keeps them.");
  const place = h("div", { class: "epochs" }, none);

  function epochs() {
    return state.model?.epochs ?? [];
  }

  function chosen(at) {
    set({ epoch: at >= epochs().length - 1 ? null : epochs()[at] });
  }

  function write() {
    const at = state.epoch === null ? epochs().length - 1 : epochs().indexOf(state.epoch);
    slider.value = at;
    const epoch = epochs()[at];
    name.textContent = called(epoch);
    for (const row of answers.children) row.setAttribute("aria-current", String(Number(row.dataset.epoch) === epoch));
  }

  whenOpen("epochs", "model input", () => trying(async () => {
    const known = epochs();
    none.hidden = !state.model || known.length > 0;
    if (!known.length) return put(place, none);
    slider.max = known.length - 1;
    put(place, h("p", { class: "soft" }, "Move the slider: the network above, its answer, the unit and the kernels are those of that epoch."),
      h("label", { class: "slider" }, name, slider), answers, kernels);
    write();
    const { input, run } = state;
    const found = await Promise.all(known.slice(-24).map(async (epoch) => ({ epoch, ...await post("predict", { run, epoch, pixels: input.pixels }) })));
    if (state.input !== input || state.run !== run || !state.model) return undefined;
    put(answers, found.map((one) => answered(one, () => chosen(known.indexOf(one.epoch)))));
    write();
    return undefined;
  }));
  whenOpen("epochs", "model unit epoch", () => trying(async () => {
    const layer = looked(), { epoch, run } = state;
    if (!layer || !epochs().length) return put(kernels);
    const found = await slid(layer);
    if (state.epoch !== epoch || state.run !== run) return undefined;
    const many = found.values.length;
    return put(kernels, h("h3", {}, `Kernels of ${layer}`, many > KERNELS && h("span", { class: "soft" }, ` the first ${KERNELS} of ${many}`)), row(found.values.slice(0, KERNELS)));
  }));
  on("epoch", () => epochs().length && write());
  return place;
}

/** What the network of an epoch is called. */
export function called(epoch) {
  return epoch === 0 ? "before training" : `after epoch ${epoch}`;
}

function answered(answer, onclick) {
  const { epoch } = answer, [words, share] = said(answer, state.model);
  return h("button", { type: "button", "data-epoch": epoch, onclick, class: "epoch-answer" },
    h("span", { class: "soft" }, epoch === 0 ? "start" : epoch), h("b", {}, words),
    h("span", { class: "track" }, h("i", { style: { width: `${100 * (share ?? 0)}%` } })), h("span", { class: "number" }, share === null ? "" : percent(share, 0)));
}
