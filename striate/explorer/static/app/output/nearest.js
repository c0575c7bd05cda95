// The training pictures that the network sees most like this one.

import { post, trying } from "../api.js";
import { h, put } from "../dom.js";
import { pictured } from "../colour.js";
import { picture } from "../api.js";
import { className } from "../numbers.js";
import { on, state } from "../state.js";

/** Asked for by a button: the first answer reads thousands of pictures. */
export function nearest() {
  const place = h("div", { class: "pictures" });
  const ask = h("button", { type: "button", onclick: () => trying(asked) }, "Find");
  const section = h("section", { class: "part", "aria-label": "Nearest training pictures" },
    h("header", {}, h("h3", {}, "Most alike in training"), ask), place);
  on("input", () => put(place));
  on("model", ({ model }) => { section.hidden = !model?.pictures.train; });

  async function asked() {
    put(place, h("p", { class: "soft" }, "reading the training pictures …"));
    const found = await post("nearest", { run: state.run, pixels: state.input.pixels });
    put(place, found.pictures.map((one) => h("figure", {}, pictured(picture(one)),
      h("figcaption", {}, className(one.label, state.model), h("span", { class: "soft" }, ` ${one.likeness.toFixed(3)}`)))),
    h("p", { class: "soft wide" }, `of ${found.among.toLocaleString("en-US")}, by ${found.layer}`));
  }
  return section;
}
