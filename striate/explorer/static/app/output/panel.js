// The output panel: what the network says, why, and what it would say otherwise.

import { h, put } from "../dom.js";
import { on } from "../state.js";
import { bars } from "./bars.js";
import { attribution } from "./attribution.js";
import { whatIf } from "./whatif.js";
import { nearest } from "./nearest.js";

/** Fill the panel. */
export function outputPanel(panel) {
  const name = h("b"), right = h("span", { class: "soft" });
  const reads = h("p", { class: "reads" }, name, right);
  put(panel, h("h2", {}, "Output"), reads, bars(), whatIf(), attribution(), nearest());
  on("answer model", ({ answer, model, input }) => {
    const known = answer && model && input?.source === "sample" ? input.label : null;
    const lost = Boolean(answer?.lost), wrong = !lost && known !== null && known !== answer.best;
    name.textContent = lost ? "–" : answer && model ? model.classes[answer.best] ?? answer.best : "";
    right.textContent = lost ? "no answer: its outputs are no numbers" : known === null ? "" : wrong ? `wrong: it is a ${model.classes[known] ?? known}` : "right";
    reads.classList.toggle("wrong", wrong || lost);
  });
}
