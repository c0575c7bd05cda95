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

/** What is said where a run knows no pictures of its own. */
export function noPictures(run) {
  return note({ where: run, what: "its own pictures are not known", rows: { need: "a run of striate train", fix: "draw, or drop an image" } });
}

/** A message inside a panel, where something else would stand. */
export function note({ where, what, rows = {} }) {
  return h("div", { class: "note" }, h("p", {}, h("b", {}, where), `: ${what}`), rowsOf(rows));
}

function rowsOf(rows) {
  return h("dl", { class: "rows" }, Object.entries(rows).map(([key, text]) => [h("dt", {}, key), h("dd", {}, text)]));
}
