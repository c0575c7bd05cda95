import { h } from "../dom.js";

/** Nothing yet. */
export function likes() {
  return h("div");
}
