// Images from outside: chosen, dropped anywhere on the panel, or pasted.

import { trying, upload } from "../api.js";
import { h } from "../dom.js";
import { set, state } from "../state.js";

let file = null;

/** The tools for a file; `panel` takes what is dropped on it. */
export function imageTools(panel) {
  const chooser = h("input", { type: "file", accept: "image/png,image/jpeg,image/webp,image/bmp", "aria-label": "Image file", onchange: () => take(chooser.files[0]) });
  const invert = h("input", { type: "checkbox", onchange: again });
  const centre = h("input", { type: "checkbox", onchange: again });
  panel.addEventListener("dragover", (event) => { event.preventDefault(); panel.classList.add("dropping"); });
  panel.addEventListener("dragleave", () => panel.classList.remove("dropping"));
  panel.addEventListener("drop", (event) => {
    event.preventDefault();
    panel.classList.remove("dropping");
    take(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const found = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (found) take(found);
  });

  function take(chosen) {
    if (!chosen) return;
    file = chosen;
    again();
  }

  function again() {
    if (file && state.run) trying(() => sent({ invert: invert.checked, centre: centre.checked }));
  }

  return h("div", { class: "image-tools" },
    h("p", { class: "soft" }, "Drop an image here, paste one, or choose a file."),
    chooser,
    h("label", { class: "check" }, invert, "Invert it"),
    h("label", { class: "check" }, centre, "Put it in the middle"));
}

async function sent(flags) {
  const steps = await upload(state.run, file, flags);
  set({ input: { pixels: steps.at(-1).pixels, source: "image", file: file.name, steps } });
}
