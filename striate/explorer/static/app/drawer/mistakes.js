// Mistakes: what is taken for what; a cell opens its pictures, a picture goes into the network.

import { get, picture, trying } from "../api.js";
import { h, put } from "../dom.js";
import { pictured } from "../colour.js";
import { fixed, percent } from "../numbers.js";
import { state } from "../state.js";
import { sample } from "../input/samples.js";
import { whenOpen } from "./open.js";
import { matrix } from "./matrix.js";
import { noPictures, note } from "../messages.js";

const LISTS = [["worst", "Worst losses"], ["confident", "Confident and wrong"], ["suspects", "Suspect labels"], ["twins", "There twice"]];

/** The tab. */
export function mistakesTab() {
  const left = h("div", { class: "matrix-part" }), right = h("div", { class: "gallery-part" });
  const place = h("div", { class: "mistakes" }, left, right);

  whenOpen("mistakes", "model", () => trying(async () => {
    if (!state.model) return put(left), put(right);
    if (!state.model.pictures.test) return put(left, noPictures(state.run, "test")), put(right);
    if (!state.model.pictures.judged) return put(left, h("p", { class: "soft" }, unjudged(state.model))), put(right);
    put(left, h("p", { class: "soft" }, "reading the test pictures …"));
    put(right);
    const found = await get("mistakes", { run: state.run });
    if (found.lost) return put(left, note(found.lost));
    put(left, h("div", { class: "buttons" }, LISTS.map(([which, name]) =>
      h("button", { type: "button", onclick: () => gallery(right, found, { which }, name) }, `${name} (${which === "worst" ? "all" : found[which]})`))),
    matrix(found, (label, said) => gallery(right, found, { which: "cell", true: label, pred: said }, `${found.classes[label]} read as ${found.classes[said]}`)),
    h("p", { class: "soft" }, `${percent(found.accuracy, 2)} of ${found.total.toLocaleString("en-US")} right; calibration error ${percent(found.calibration.error, 2)}`));
    const [first] = found.confused;
    if (first) gallery(right, found, { which: "cell", true: first[0], pred: first[1] }, `${found.classes[first[0]]} read as ${found.classes[first[1]]}`);
    else gallery(right, found, { which: "worst" }, "Worst losses");
    return undefined;
  }));
  return place;
}

function unjudged({ gives }) {
  return gives === "classes" ? "The labels that it was trained on are no classes." : `This network gives ${gives}: there are no classes that it could take for another.`;
}

function gallery(place, { classes }, asked, title) {
  return trying(async () => {
    let page = 0;
    const list = h("div", { class: "pictures" });
    const more = h("button", { type: "button", onclick: () => trying(next) }, "More");
    put(place, h("h3", {}, title), list, more);
    async function next() {
      const found = await get("mistakes/pictures", { run: state.run, ...asked, page });
      page += 1;
      list.append(...found.pictures.map((one) => card(picture(one), classes)));
      more.hidden = list.children.length >= found.total;
      if (!found.total) put(list, h("p", { class: "soft" }, "None."));
    }
    await next();
  });
}

function card(one, classes) {
  const [own, said] = [classes[one.label], classes[one.said]];
  const right = one.label === one.said;
  return h("button", {
    type: "button", class: `card ${right ? "" : "wrong"}`,
    title: `test picture ${one.index}: a ${own}, read as ${said} (${percent(one.probability)}), loss ${fixed(one.loss, 2)}`,
    onclick: () => sample("index", undefined, one.index),
  }, pictured(one), h("span", {}, right ? own : `${own} → ${said}`), h("span", { class: "soft" }, fixed(one.loss, 2)));
}
