import { h } from "../dom.js";

/** Nothing yet. */
export function whatIf() {
  return h("div");
}
