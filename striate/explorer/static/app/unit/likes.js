// What a map likes: the nine test pictures that excite it most, with the place in them.

import { picture, post, trying } from "../api.js";
import { h, put } from "../dom.js";
import { pictured } from "../colour.js";
import { className, value } from "../numbers.js";
import { framed } from "../network/field.js";
import { on, state } from "../state.js";
import { sample } from "../input/samples.js";

const SIDE = 56;

/** The gallery of the chosen unit's map. */
export function likes() {
  const place = h("div", { class: "pictures likes" }), title = h("h3");
  const section = h("section", { class: "likes-part", hidden: true }, title, place);
  let shown = "", asked = 0;
  on("unit model", ({ unit, model }) => {
    const key = unit ? `${state.run}/${unit.layer}/${unit.channel}` : "";
    if (key === shown) return;
    shown = key;
    const mine = asked += 1;
    section.hidden = !unit || !(model?.pictures.test || model?.pictures.train);
    if (section.hidden) return;
    title.textContent = `What ${model.columns[unit.column].vector ? "unit" : "map"} ${unit.channel} likes`;
    put(place, h("p", { class: "soft" }, "looking through the test pictures …"));
    trying(async () => {
      const { found } = await post("likes", { run: state.run, layer: unit.layer, channel: unit.channel });
      if (mine === asked) put(place, found.map((one) => card(picture(one), model)));
    });
  });
  return section;
}

function card(one, model) {
  const canvas = h("canvas", { width: SIDE * 2, height: SIDE * 2, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(pictured(one), 0, 0, canvas.width, canvas.height);
  const [[top, bottom], [left, right]] = one.box;
  const [x, y] = [canvas.width / one.width, canvas.height / one.height];
  framed(context, left * x, top * y, (right - left) * x, (bottom - top) * y, 3);
  const name = className(one.label, model);
  return h("button", { type: "button", class: "card", title: `test picture ${one.index}${name && `, a ${name}`}: ${value(one.value)}`, onclick: () => sample("index", undefined, one.index) },
    canvas, h("span", {}, name));
}
