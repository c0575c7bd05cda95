// The output panel: what the network says, why, and what it would say otherwise.

import { h, put } from "../dom.js";
import { on } from "../state.js";
import { bars } from "./bars.js";
import { attribution } from "./attribution.js";
import { whatIf } from "./whatif.js";
import { nearest } from "./nearest.js";

/** Fill the panel. */
export function outputPanel(panel) {
  const reads = h("p", { class: "reads" });
  put(panel, h("h2", {}, "Output"), reads, bars(), whatIf(), attribution(), nearest());
  on("answer model", ({ answer, model, input }) => {
    if (!answer || !model) return put(reads);
    const name = model.classes[answer.best] ?? answer.best;
    const wrong = input?.source === "sample" && input.label !== answer.best;
    put(reads, h("b", {}, name), h("span", { class: "soft" },
      wrong ? `wrong: it is a ${model.classes[input.label] ?? input.label}` : input?.source === "sample" ? "right" : ""));
    reads.classList.toggle("wrong", wrong);
  });
}
