// Edges: who reads whom, for the column that is pointed at or walked over by keys.

import { svg } from "../dom.js";

/** The lines of a model, behind its columns. */
export function edges(scroll, model) {
  const layer = svg("svg", { class: "edges", "aria-hidden": "true" });
  const lines = model.columns.flatMap(({ id, inputs }) => inputs.map((source) => ({ source, id, path: svg("path", { class: "edge" }) })));
  layer.append(...lines.map((line) => line.path));

  scroll.onlaid = () => {
    layer.setAttribute("width", scroll.scrollWidth);
    layer.setAttribute("height", scroll.scrollHeight);
    const box = scroll.getBoundingClientRect();
    for (const { source, id, path } of lines) path.setAttribute("d", curve(box, scroll, source, id));
  };
  const near = (id) => { for (const line of lines) line.path.classList.toggle("near", line.id === id || line.source === id); };
  scroll.onnear = near;
  return layer;
}

function curve(box, scroll, source, id) {
  const from = scroll.querySelector(`#column-${source}`).getBoundingClientRect();
  const to = scroll.querySelector(`#column-${id}`).getBoundingClientRect();
  const x1 = from.right - box.left + scroll.scrollLeft - 4, y1 = from.top - box.top + scroll.scrollTop + 16;
  const x2 = to.left - box.left + scroll.scrollLeft + 4, y2 = to.top - box.top + scroll.scrollTop + 16;
  if (x2 - x1 < 40) return `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
  const high = Math.min(y1, y2) - 22; // over the columns between
  return `M${x1} ${y1}C${x1 + 18} ${y1} ${x1 + 12} ${high} ${x1 + 34} ${high}H${x2 - 34}C${x2 - 12} ${high} ${x2 - 18} ${y2} ${x2} ${y2}`;
}
