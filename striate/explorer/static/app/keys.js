// Keys that work everywhere: the list of them is shown by "?".

import { h } from "./dom.js";

const KEYS = [
  ["1 … 8", "open a tab of the drawer"], ["d", "open or close the drawer"],
  ["r", "another random picture"], ["m", "next mistake"], ["c", "clear the sheet"],
  ["ctrl z", "undo a stroke"], ["n", "go to the network"],
  ["arrows", "move within a map, or along a matrix"], ["page up, page down", "previous or next map"],
  ["enter", "choose the unit or the cell"], ["escape", "let go of the unit"], ["?", "this list"],
];
const actions = {};

/** Let a key do something, when no field is being typed in. */
export function key(name, action) {
  actions[name] = action;
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=range]):not([type=checkbox]), select, textarea");
  const name = (event.ctrlKey || event.metaKey ? "ctrl " : "") + event.key;
  if (typing || event.altKey || !actions[name]) return;
  event.preventDefault();
  actions[name]();
});

/** Show the list of keys. */
export function showKeys() {
  const dialog = h("dialog", { class: "keys", "aria-label": "Keys", onclose: () => dialog.remove() },
    h("h2", {}, "Keys"),
    h("dl", {}, KEYS.map(([name, does]) => [h("dt", {}, name), h("dd", {}, does)])),
    h("button", { type: "button", class: "main", onclick: () => dialog.close() }, "Close"));
  document.body.append(dialog);
  dialog.showModal();
}

key("?", showKeys);
