// Kernels: the weights that a convolution slides over its input, now and before training.

import { get, trying } from "../api.js";
import { choice, h, put } from "../dom.js";
import { level, painted, pixel, written } from "../colour.js";
import { state } from "../state.js";
import { value } from "../numbers.js";
import { whenOpen } from "./open.js";
import { largest } from "../unit/grids.js";

const INPUTS = 16; // channels of a kernel that are shown in its strip

/** The tab. */
export function kernelsTab() {
  const layers = h("select", { "aria-label": "Layer", onchange: () => ask() });
  const place = h("div"), norms = h("div", { class: "norms" });
  let found = null, before = false;
  const which = choice("Which weights", [[false, "now"], [true, "before training"]], false, (old) => { before = old; draw(); });

  whenOpen("kernels", "model unit epoch", () => {
    const kept = layers.value;
    put(layers, convolutions().map(({ name, output }) => h("option", { value: name }, `${name} ${output}`)));
    layers.value = looked(kept);
    if (layers.value) ask();
    else put(place, h("p", { class: "soft" }, "This network slides no kernels."));
  });

  function ask() {
    return trying(async () => {
      found = await slid(layers.value);
      draw();
    });
  }

  function draw() {
    if (!found) return;
    which.hidden = !found.before;
    put(place, row(before && found.before ? found.before : found.values));
    put(norms, histogram(found.norms));
  }
  return h("div", {}, h("div", { class: "tools-row" }, layers, which, norms), place);
}

function convolutions() {
  return (state.model?.columns ?? []).filter((column) => column.kind === "convolution");
}

/** The convolution to look at: that of the chosen unit, another one that is wanted, or the first. */
export function looked(wanted) {
  const names = convolutions().map(({ name }) => name);
  return [state.unit?.layer, wanted, names[0]].find((name) => names.includes(name)) ?? "";
}

/** A layer's kernels, in the epoch that is looked at. */
export function slid(layer) {
  return get("kernels", { run: state.run, layer, epoch: state.epoch ?? undefined });
}

/** Kernels beside each other, in one scale. */
export function row(kernels) {
  const peak = largest(kernels);
  return h("div", { class: "kernels" }, kernels.map((kernel, output) => kerneled(kernel, output, peak)));
}

/** The first layer of a colour network in colour; others as a strip of their channels. */
function kerneled(kernel, output, peak) {
  const height = kernel[0].length, width = kernel[0][0].length;
  const colour = kernel.length === 3;
  const pictures = colour ? [coloured(kernel, width, height, peak)] : kernel.slice(0, INPUTS).map((rows) =>
    painted(Int8Array.from(rows.flat(), (one) => level(one, peak)), width, height));
  return h("figure", { title: `kernel of map ${output}` },
    h("div", { class: kernel.length > 1 && !colour ? "strip" : "strip single" }, pictures),
    h("figcaption", {}, output, kernel.length > INPUTS && h("span", { class: "soft" }, ` of ${kernel.length}`)));
}

function coloured([red, green, blue], width, height, peak) {
  const byte = (rows, at) => Math.round(127.5 + (127.5 * rows[Math.floor(at / width)][at % width]) / peak);
  return written(width, height, (pixels) => {
    for (let at = 0; at < pixels.length; at += 1) pixels[at] = pixel(byte(red, at), byte(green, at), byte(blue, at));
  });
}

/** How strong the kernels are: those near 0 do nothing. */
function histogram(norms) {
  const most = Math.max(...norms), bins = Array(16).fill(0);
  for (const one of norms) bins[Math.min(15, Math.floor((16 * one) / (most || 1)))] += 1;
  const peak = Math.max(...bins);
  return [h("span", { class: "soft" }, "norms 0"), h("span", { class: "bins", role: "img", "aria-label": `norms from ${value(Math.min(...norms))} to ${value(most)}` },
    bins.map((count) => h("i", { style: { height: `${(26 * count) / peak}px` } }))), h("span", { class: "soft" }, value(most))];
}
