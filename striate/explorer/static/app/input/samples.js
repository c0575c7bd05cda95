// Pictures that the run knows: a random one, the next mistake, the next of a class.

import { get, picture, trying } from "../api.js";
import { h, put } from "../dom.js";
import { key } from "../keys.js";
import { on, set, state } from "../state.js";

/** Show a test picture; "mistake" and "class" go on from the one that is shown. */
export function sample(kind, label, at = state.input?.index ?? -1) {
  return trying(async () => {
    const found = picture(await get("sample", { run: state.run, kind, at, label }));
    set({ input: { source: "sample", ...found } });
  });
}

/** The tools. */
export function sampleTools() {
  const classes = h("select", { "aria-label": "Class", onchange: () => sample("class", classes.value) });
  const next = h("button", { type: "button", onclick: () => sample("class", classes.value) }, "Next");
  const mistake = h("button", { type: "button", onclick: () => sample("mistake") }, "Next mistake");
  const own = h("div", { class: "field" }, h("span", { class: "soft" }, "Class"), classes, next);
  const tools = h("div", { class: "buttons" },
    h("button", { type: "button", onclick: () => sample("random") }, "Random"), mistake, own);
  const none = h("p", { class: "soft", hidden: true }, "The pictures of this run are not known: draw, or drop an image.");
  on("model", ({ model }) => {
    const known = Boolean(model?.pictures.test || model?.pictures.train);
    tools.hidden = !known;
    none.hidden = known || !model;
    mistake.hidden = own.hidden = !model?.pictures.judged;
    put(classes, (model?.classes ?? []).map((name, at) => h("option", { value: at }, name)));
  });
  key("r", () => sample("random"));
  key("m", () => sample("mistake"));
  return h("div", {}, tools, none);
}
