// What spoke for the answer: Grad-CAM of a layer that can be moved, or occlusion, over the input.

import { post, trying } from "../api.js";
import { h, put } from "../dom.js";
import { ends, pictured, pixel, written } from "../colour.js";
import { on, state } from "../state.js";

const METHODS = [["grad_cam", "Grad-CAM"], ["occlusion", "Occlusion"], ["integrated_gradients", "Gradients"]];
const SIDE = 236;

/** The overlay and what chooses it. */
export function attribution() {
  const method = h("select", { "aria-label": "Method", onchange: ask });
  const classes = h("select", { "aria-label": "Class that is asked about", onchange: ask });
  const layer = h("input", { type: "range", min: 0, step: 1, "aria-label": "Layer of Grad-CAM", oninput: ask });
  const name = h("span", { class: "soft" });
  const slider = h("label", { class: "slider" }, layer, name);
  const views = [view(), view()]; // of the class that is asked about, and of a mistake's own class
  const verdict = h("p", { class: "soft" });
  const check = h("button", { type: "button", onclick: tried }, "Is it meaningful?");
  const how = h("p", { class: "soft" });
  const part = h("section", { class: "part", "aria-label": "What spoke for it" });
  let layers = [], all = [], found = null, moved = false, asked = 0;

  function question() {
    return {
      run: state.run, epoch: state.epoch, pixels: state.input.pixels, method: method.value,
      target: classes.value === "" ? null : Number(classes.value), layer: moved ? layers[layer.value] ?? "" : "",
    };
  }

  async function ask(event) {
    if (event?.target === layer) moved = true;
    const mine = asked += 1;
    if (!state.model?.methods.length || !state.input) return;
    await trying(async () => {
      const answers = [await post("cam", question())];
      if (mine !== asked) return;
      const own = mistaken(answers[0]);
      if (own !== null) answers.push(await post("cam", { ...question(), target: own }));
      if (mine !== asked) return;
      all = answers;
      [found] = answers;
      layers = found.layers;
      layer.max = layers.length - 1;
      if (!moved) layer.value = layers.indexOf(found.layer);
      verdict.textContent = "";
      draw();
    });
  }

  /** The picture's own class where the answer is another one, and no class was chosen. */
  function mistaken({ target }) {
    const { input } = state;
    return classes.value === "" && state.model.gives === "classes" && input.source === "sample" && input.label >= 0 && input.label !== target ? input.label : null;
  }

  function draw() {
    if (!found || !state.input || !state.model) return;
    slider.hidden = found.method !== "grad_cam";
    name.textContent = found.layer;
    how.textContent = found.lost ? "Nothing: the network's numbers are no numbers." : found.method === "occlusion" ? found.how : "";
    views.forEach(({ figure, canvas, caption }, at) => {
      const one = all[at];
      figure.hidden = !one;
      if (!one) return;
      const text = state.model.classes[one.target] ?? one.target;
      caption.textContent = all.length > 1 ? `for ${text}, ${at ? "what it is" : "what is said"}` : "";
      overlaid(canvas, one);
      canvas.setAttribute("aria-label", `What speaks for ${text} in the picture, by ${one.how}`);
    });
  }

  function tried() {
    return trying(async () => {
      verdict.textContent = "shuffling the weights …";
      const { told } = await post("sanity", { ...question(), target: found?.target ?? null });
      verdict.textContent = told;
    });
  }

  let later = 0;
  on("input model epoch", ({ model }, changes) => {
    if (changes.includes("model")) {
      moved = false;
      const chosen = method.value;
      put(method, METHODS.filter(([value]) => model?.methods.includes(value)).map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
      part.hidden = !model?.methods.length;
      put(classes, h("option", { value: "" }, "likeliest"), (model?.classes ?? []).map((text, value) => h("option", { value }, text)));
    }
    asked += 1; // what is on its way is about another picture
    clearTimeout(later);
    later = setTimeout(ask, 150);
  });
  on("themed", draw);
  put(part,
    h("header", {}, h("h3", {}, "What spoke for it"), h("div", { class: "buttons" }, method, classes)),
    h("div", { class: "overlays" }, views.map((one) => one.figure)), how, slider, h("div", { class: "buttons" }, check), verdict);
  return part;
}

function view() {
  const canvas = h("canvas", { class: "overlay", width: SIDE, height: SIDE, role: "img", "aria-label": "What speaks for the answer in the picture" });
  const caption = h("figcaption", { class: "soft" });
  return { canvas, caption, figure: h("figure", {}, canvas, caption) };
}

const ground = document.createElement("canvas"), heat = document.createElement("canvas");

/** Draw the picture in grey, and over it what speaks for (blue) and against (orange) the class. */
function overlaid(canvas, found) {
  const { height, width } = state.model.grid;
  const context = canvas.getContext("2d");
  canvas.height = Math.round((SIDE * height) / width);
  context.imageSmoothingEnabled = false;
  context.filter = "grayscale(1)";
  context.drawImage(pictured({ ...state.input, ...state.model.grid }, ground), 0, 0, canvas.width, canvas.height);
  context.filter = "none";
  const [below, above] = ends();
  written(found.width, found.height, (pixels) => {
    found.values.forEach((value, at) => {
      const strength = Math.abs(value) / found.peak, [r, g, b] = value < 0 ? below : above;
      pixels[at] = pixel(r, g, b, strength < 0.03 ? 0 : Math.round(204 * strength));
    });
  }, heat);
  context.imageSmoothingEnabled = true;
  context.drawImage(heat, 0, 0, canvas.width, canvas.height);
}
