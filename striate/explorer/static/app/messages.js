// Messages in the rows that Striate uses everywhere: what, got, need, fix.

import { h } from "./dom.js";

/** Show a message until it is closed or twelve seconds have gone. */
export function complain({ where, what, rows = {} }) {
  const place = document.getElementById("messages");
  const card = h("div", { class: "message" },
    h("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => card.remove() }, "×"),
    h("p", {}, h("b", {}, where), `: ${what}`),
    rowsOf(rows));
  place.replaceChildren(card);
  setTimeout(() => card.remove(), 12000);
}

/** What is said where a run does not know the pictures that it was trained or tested on. */
export function noPictures(run, part) {
  const need = `a run of striate train, or of a script that gives fit arrays${part === "test" ? " and validation_data" : ""}`;
  return note({ where: run, what: `its ${part} pictures are not known`, rows: { need, fix: "draw, or drop an image" } });
}

/** A message inside a panel, where something else would stand. */
export function note({ where, what, rows = {} }) {
  return h("div", { class: "note" }, h("p", {}, h("b", {}, where), `: ${what}`), rowsOf(rows));
}

function rowsOf(rows) {
  return h("dl", { class: "rows" }, Object.entries(rows).map(([key, text]) => [h("dt", {}, key), h("dd", {}, text)]));
}
