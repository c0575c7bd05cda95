import { h } from "../dom.js";

/** Nothing yet. */
export function unitTab() {
  return h("div", {}, "Click a unit.");
}
