// The input panel: the sheet that is drawn on, the ways to fill it, and what the network sees of it.

import { choice, h, put } from "../dom.js";
import { className } from "../numbers.js";
import { on } from "../state.js";
import { Sheet } from "./sheet.js";
import { brushTools } from "./brush.js";
import { imageTools } from "./image.js";
import { sampleTools } from "./samples.js";
import { sees } from "./sees.js";

/** Fill the panel. */
export function inputPanel(panel) {
  const sheet = new Sheet();
  const title = h("p", { class: "soft caption" });
  const parts = { draw: brushTools(sheet), image: imageTools(panel), sample: sampleTools() };
  const tools = h("div", { class: "tools" });
  const chosen = (name) => put(tools, parts[name]);
  const tabs = choice("Where the picture comes from",
    [["draw", "Draw"], ["image", "Image"], ["sample", "Samples"]], "draw", chosen);
  chosen("draw");
  put(panel, h("h2", {}, "Input"), sheet.element, title, tabs, tools, sees());
  on("input model", ({ input, model }) => {
    title.textContent = input && model ? told(input, model) : "";
  });
}

function told(input, model) {
  const { height, width, channels } = model.grid;
  const size = `${height} × ${width}${channels === 3 ? " × 3" : ""}`;
  if (input.source !== "sample") return `${size} · ${input.source === "draw" ? "drawn" : input.file ?? "image"}`;
  const name = className(input.label, model);
  return `${size} · test picture ${input.index}${name && `, a ${name}`}`;
}
