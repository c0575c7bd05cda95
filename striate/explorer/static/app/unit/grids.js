// Grids of numbers: the cells of a patch, a kernel, their products.

import { h } from "../dom.js";
import { colour, inkOn, painted } from "../colour.js";

const WRITTEN = 7; // cells a side that still have their numbers in them

/** A grid of rows of values with a caption; padded cells are hatched. */
export function grid(name, rows, peak, padding = null, winner = -1) {
  const wide = rows[0].length;
  if (rows.length > WRITTEN || wide > WRITTEN) return drawn(name, rows, peak);
  return h("figure", { class: "cells" }, h("figcaption", {}, name),
    h("div", { class: "cell-grid", role: "img", "aria-label": `${name}: ${rows.map((row) => row.map(short).join(", ")).join("; ")}`, style: { gridTemplateColumns: `repeat(${wide}, 34px)` } },
      rows.flatMap((row, y) => row.map((one, x) => {
        const hatched = padding?.[y]?.[x];
        return h("span", {
          class: [hatched && "padded", y * wide + x === winner && "winner"].filter(Boolean).join(" "), title: String(one),
          style: hatched ? {} : { background: colour(one, peak), color: inkOn(one, peak) },
        }, hatched ? "" : short(one));
      }))));
}

function drawn(name, rows, peak) {
  const levels = Int8Array.from(rows.flat(), (one) => Math.round((127 * one) / (peak || 1)));
  const canvas = painted(levels, rows[0].length, rows.length);
  canvas.className = "cell-picture";
  canvas.removeAttribute("aria-hidden");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${name}, ${rows.length} by ${rows[0].length}`);
  return h("figure", { class: "cells" }, h("figcaption", {}, name), canvas);
}

/** A number in three characters or a little more. */
export function short(x) {
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
