// Probabilities as bars, live; behind them, as ghosts, those without the changes of "what if".

import { h, put } from "../dom.js";
import { percent, value } from "../numbers.js";
import { on, state } from "../state.js";

const IN_ORDER = 12; // so many classes stand in their own order; of more, the likeliest are shown

/** The bars and the numbers below them. */
export function bars() {
  const list = h("ol", { class: "bars" }), facts = h("dl", { class: "facts-list" });
  const scores = h("details", { class: "scores" }, h("summary", {}, "raw outputs"));
  const table = h("table");
  scores.append(table);
  on("answer before model", () => {
    const { answer, model } = state;
    if (!answer || !model) return put(list);
    const order = shown(answer.probabilities);
    put(list, order.map((at) => bar(at)));
    put(facts,
      h("dt", {}, "runner-up"), h("dd", {}, `${model.classes[answer.second] ?? answer.second}, ${percent(answer.probabilities[answer.second])}`),
      h("dt", {}, "entropy"), h("dd", {}, `${answer.entropy.toFixed(2)} of ${answer.most_entropy.toFixed(2)} bits`));
    put(table, order.map((at) => h("tr", {}, h("th", {}, model.classes[at] ?? at), h("td", { class: "number" }, value(answer.outputs[at])))));
  });
  return h("div", {}, list, facts, scores);
}

function shown(probabilities) {
  const order = probabilities.map((_, at) => at);
  if (order.length <= IN_ORDER) return order;
  return order.sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 10);
}

function bar(at) {
  const { answer, before, model, input } = state;
  const share = answer.probabilities[at], old = before?.probabilities[at];
  const kind = [at === answer.best && "best", input?.source === "sample" && at === input.label && "true"].filter(Boolean).join(" ");
  return h("li", { class: kind },
    h("span", { class: "name", title: model.classes[at] }, model.classes[at] ?? at),
    h("span", { class: "track" },
      old !== undefined && h("i", { class: "ghost", style: { width: `${100 * old}%` } }),
      h("i", { style: { width: `${100 * share}%` } })),
    h("span", { class: "number" }, percent(share)));
}
