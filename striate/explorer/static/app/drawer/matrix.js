// The confusion matrix: walked over by arrows, opened by Enter; counts, or the share of each row.

import { choice, h, put } from "../dom.js";

const WRITTEN = 24; // classes that have numbers in their cells
const FAINTEST = 15; // per cent of orange in a cell
const STRONGEST = { written: 50, small: 85 }; // at most, so that a number in it is read

/** The matrix; `open(label, said)` is told which cell is chosen. */
export function matrix({ classes, confusion }, open) {
  const table = h("table", { class: "matrix", role: "grid", "aria-label": "Confusion matrix: rows are what the picture is, columns what the network says" });
  const draw = (share) => put(table, head(classes), h("tbody", {}, confusion.map((row, label) => line(row, label, classes, share, worst))));
  const worst = Math.max(1, ...confusion.flatMap((row, label) => row.filter((_, said) => said !== label)));
  table.addEventListener("click", (event) => chosen(event.target, open));
  table.addEventListener("keydown", (event) => walked(event, table, open));
  draw(false);
  table.classList.toggle("small", classes.length > WRITTEN);
  return h("div", { class: "matrix-frame" },
    choice("What the cells show", [[false, "counts"], [true, "% of row"]], false, draw),
    h("div", { class: "matrix-scroll" }, h("p", { class: "soft" }, "rows: what it is, columns: what the network says"), table));
}

function head(classes) {
  return h("thead", {}, h("tr", {}, h("td"), classes.map((name) => h("th", { scope: "col", title: name }, name.slice(0, 8)))));
}

function line(row, label, classes, share, worst) {
  const sum = row.reduce((a, b) => a + b, 0) || 1;
  const range = STRONGEST[classes.length > WRITTEN ? "small" : "written"] - FAINTEST;
  return h("tr", {}, h("th", { scope: "row", title: classes[label] }, classes[label].slice(0, 12)), row.map((count, said) => {
    const wrong = label !== said && count > 0;
    const text = !count ? "" : share ? Math.round((1000 * count) / sum) / 10 : count;
    return h("td", {
      class: label === said ? "right" : "", tabindex: label + said === 0 ? 0 : -1, "data-label": label, "data-said": said,
      "aria-label": `${classes[label]} read as ${classes[said]}: ${count}`,
      style: wrong ? { backgroundColor: `color-mix(in srgb, var(--orange) ${FAINTEST + (range * count) / worst}%, transparent)` } : {},
    }, String(text));
  }));
}

function chosen(cell, open) {
  if (cell.dataset?.label === undefined) return;
  for (const other of cell.closest("table").querySelectorAll("[aria-selected]")) other.removeAttribute("aria-selected");
  cell.setAttribute("aria-selected", "true");
  open(Number(cell.dataset.label), Number(cell.dataset.said));
}

function walked(event, table, open) {
  const cell = event.target;
  const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (event.key === "Enter") chosen(cell, open);
  if (!move || cell.dataset?.label === undefined) return;
  event.preventDefault();
  const next = table.querySelector(`[data-label="${Number(cell.dataset.label) + move[0]}"][data-said="${Number(cell.dataset.said) + move[1]}"]`);
  if (!next) return;
  cell.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
