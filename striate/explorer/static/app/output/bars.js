// Probabilities as bars, live; behind them, as ghosts, those without the changes of "what if".

import { post, trying } from "../api.js";
import { h, put } from "../dom.js";
import { percent, value } from "../numbers.js";
import { on, state } from "../state.js";

const IN_ORDER = 12; // so many classes stand in their own order; of more, the likeliest are shown

/** The bars and the numbers below them; a pen moves them sixty times a second, so they are kept and changed. */
export function bars() {
  const list = h("ol", { class: "bars" }), body = h("tbody");
  const before = h("th", { scope: "col", class: "number", title: "before the activation that the network ends with" }, "logit");
  const second = h("dd"), entropy = h("dd");
  const facts = h("dl", { class: "facts-list", hidden: true }, h("dt", {}, "runner-up"), second, h("dt", {}, "entropy"), entropy);
  const scores = h("details", { class: "scores", ontoggle: () => trying(logits) }, h("summary", {}, "outputs and logits"),
    h("table", {}, h("thead", {}, h("tr", {}, h("td"), h("th", { scope: "col", class: "number" }, "output"), before)), body));
  let rows = [];
  on("answer before model", () => {
    const { answer, model } = state;
    const order = answer && model ? shown(answer) : [];
    list.hidden = model?.gives === "numbers";
    facts.hidden = !order.length || answer.lost || model.gives !== "classes";
    scores.hidden = !order.length;
    if (rows.length !== order.length) {
      rows = order.map(row);
      put(list, rows.map(({ bar }) => bar));
      put(body, rows.map(({ score }) => score));
    }
    order.forEach((at, place) => write(rows[place], at));
    if (!order.length) return;
    trying(logits);
    second.textContent = `${model.classes[answer.second] ?? answer.second}, ${percent(answer.probabilities[answer.second])}`;
    entropy.textContent = `${answer.entropy.toFixed(2)} of ${answer.most_entropy.toFixed(2)} bits`;
  });

  /** Ask for the logits while they are looked at: they cost one more pass. */
  async function logits() {
    const { answer, run, input, edits, epoch } = state;
    if (!scores.open || !answer || !input) return;
    const found = await post("logits", { run, pixels: input.pixels, edits, epoch });
    if (state.answer !== answer) return;
    shown(answer).forEach((at, place) => { rows[place].logit.textContent = value(found.logits[at]); });
  }
  return h("div", {}, list, facts, scores);
}

/** The classes that are shown, or the numbers where there are no classes. */
function shown({ outputs, probabilities }) {
  const order = (probabilities.length ? probabilities : outputs).map((_, at) => at);
  if (order.length <= IN_ORDER) return order;
  return order.sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 10);
}

/** The elements of one class: its bar, and its raw output. */
function row() {
  const name = h("span", { class: "name" }), number = h("span", { class: "number" });
  const share = h("i"), track = h("span", { class: "track" }, share), ghost = h("i", { class: "ghost" });
  const title = h("th", { scope: "row" }), output = h("td", { class: "number" }), logit = h("td", { class: "number" });
  return {
    name, number, share, track, ghost, title, output, logit,
    bar: h("li", {}, name, track, number), score: h("tr", {}, title, output, logit),
  };
}

function write({ name, number, share, track, ghost, title, output, bar }, at) {
  const { answer, before, model, input } = state;
  const called = String(model.classes[at] ?? at), old = before?.probabilities[at];
  bar.classList.toggle("best", at === answer.best && !answer.lost);
  bar.classList.toggle("true", input?.source === "sample" && at === input.label);
  name.textContent = name.title = title.textContent = called;
  number.textContent = answer.lost || model.gives === "numbers" ? "–" : percent(answer.probabilities[at]);
  output.textContent = answer.lost ? "–" : value(answer.outputs[at]);
  share.style.width = `${100 * (answer.probabilities[at] ?? 0)}%`;
  if (old === undefined || old === null) return ghost.remove();
  ghost.style.width = `${100 * old}%`;
  return track.prepend(ghost);
}
