// The arithmetic as text: as a formula, or as a line of Python that gives the number again.

import { h, tell } from "../dom.js";

/** The text with a button that copies it. */
export function code(found, form) {
  const text = form === "python" ? found.python : found.numbers;
  const copy = h("button", { type: "button", onclick: () => copied(text) }, "Copy");
  return h("div", { class: "code" }, copy, h("pre", { tabindex: 0 }, text));
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell("Copied.");
  } catch {
    tell("This browser does not copy; select the text.");
  }
}
