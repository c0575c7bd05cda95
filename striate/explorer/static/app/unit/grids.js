// Grids of numbers: the cells of a patch, a kernel, their products.

import { h } from "../dom.js";
import { colour, inkOn, level, painted } from "../colour.js";

const WRITTEN = 7; // cells a side that still have their numbers in them
const SPARE = 64; // grids of a size that are kept

const used = [], spare = {}; // grids of cells by their size: a window that slides fills them anew

/** Take back the grids that are shown, before others are made. */
export function taken() {
  for (const { size, element } of used.splice(0)) {
    spare[size] ??= [];
    if (spare[size].length < SPARE) spare[size].push(element);
  }
}

/** A grid of rows of values with a caption; padded cells are hatched. */
export function grid(name, rows, peak, padding = null, winner = -1) {
  const wide = rows[0].length;
  if (rows.length > WRITTEN || wide > WRITTEN) return drawn(name, rows, peak);
  const size = `${rows.length} x ${wide}`, element = spare[size]?.pop() ?? empty(rows.length, wide);
  used.push({ size, element });
  element.setAttribute("aria-label", `${name}: ${rows.map((row) => row.map(short).join(", ")).join("; ")}`);
  rows.flat().forEach((one, at) => {
    const cell = element.children[at], hatched = padding?.[Math.floor(at / wide)]?.[at % wide];
    cell.className = [hatched && "padded", at === winner && "winner"].filter(Boolean).join(" ");
    cell.title = String(one);
    cell.textContent = hatched ? "" : short(one);
    cell.style.background = hatched ? "" : colour(one, peak);
    cell.style.color = hatched ? "" : inkOn(one, peak);
  });
  return h("figure", { class: "cells" }, h("figcaption", {}, name), element);
}

function empty(tall, wide) {
  return h("div", { class: "cell-grid", role: "img", style: { gridTemplateColumns: `repeat(${wide}, 34px)` } },
    Array.from({ length: tall * wide }, () => h("span")));
}

function drawn(name, rows, peak) {
  const levels = Int8Array.from(rows.flat(), (one) => level(one, peak));
  const canvas = painted(levels, rows[0].length, rows.length);
  canvas.className = "cell-picture";
  canvas.removeAttribute("aria-hidden");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}, ${rows.length} by ${rows[0].length}`);
  return h("figure", { class: "cells" }, h("figcaption", {}, name), canvas);
}

/** A number in three characters or a little more. */
export function short(x) {
  if (x === null) return "–";
  if (Number.isInteger(x) && Math.abs(x) < 1000) return String(x).replace("-", "−");
  const size = Math.abs(x);
  const text = size >= 100 ? x.toFixed(0) : size >= 10 ? x.toFixed(1) : size < 0.005 ? "0" : x.toFixed(2);
  return text.replace(/^(-?)0\./, "$1.").replace("-", "−");
}

/** Nested lists as rows: a list is one row, deeper ones are laid below each other. */
export function rowsOf(x) {
  if (!Array.isArray(x)) return [[x]];
  if (!Array.isArray(x[0])) return [x];
  return Array.isArray(x[0][0]) ? x.flatMap(rowsOf) : x;
}

/** The largest absolute value of nested lists. */
export function largest(...lists) {
  return Math.max(1e-12, ...lists.filter(Boolean).flat(Infinity).map(Math.abs));
}
