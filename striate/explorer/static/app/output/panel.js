// The output panel: what the network says, why, and what it would say otherwise.

import { h, put } from "../dom.js";
import { on } from "../state.js";
import { bars } from "./bars.js";
import { attribution } from "./attribution.js";
import { said } from "./said.js";
import { whatIf } from "./whatif.js";
import { nearest } from "./nearest.js";

/** Fill the panel. */
export function outputPanel(panel) {
  const name = h("b"), right = h("span", { class: "soft" });
  const reads = h("p", { class: "reads" }, name, right);
  put(panel, h("h2", {}, "Output"), reads, bars(), whatIf(), attribution(), nearest());
  on("answer model", ({ answer, model, input }) => {
    const judged = model?.gives === "classes" && input?.source === "sample" && input.label >= 0;
    const known = answer && judged ? input.label : null;
    const lost = Boolean(answer?.lost), wrong = !lost && known !== null && known !== answer.best;
    name.textContent = lost ? "–" : answer && model ? said(answer, model)[0] : "";
    right.textContent = lost ? "no answer: its outputs are no numbers" : model?.gives === "maps" ? "it is the last column" : known === null ? "" : wrong ? `wrong: it is a ${model.classes[known] ?? known}` : "right";
    reads.classList.toggle("wrong", wrong || lost);
  });
}
