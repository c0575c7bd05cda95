import { h } from "../dom.js";

/** Nothing yet. */
export function nearest() {
  return h("div");
}
