import { h } from "../dom.js";

/** Nothing yet. */
export function attribution() {
  return h("div");
}
