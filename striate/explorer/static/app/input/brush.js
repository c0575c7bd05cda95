// Tools to draw with: thickness, ink, undo, and moving the picture by a pixel.

import { h, icon } from "../dom.js";
import { state } from "../state.js";

/** The tools of a sheet. */
export function brushTools(sheet) {
  const thickness = h("input", {
    type: "range", min: 0.4, max: 4, step: 0.1, "aria-label": "Thickness of the brush in pixels",
    oninput: () => { sheet.thickness = Number(thickness.value); },
  });
  const colour = h("input", {
    type: "color", value: "#ffffff", "aria-label": "Colour of the ink",
    oninput: () => { sheet.ink = [1, 3, 5].map((at) => parseInt(colour.value.slice(at, at + 2), 16)); },
  });
  const eraser = h("button", {
    type: "button", "aria-pressed": "false",
    onclick: () => {
      sheet.erases = !sheet.erases;
      eraser.setAttribute("aria-pressed", String(sheet.erases));
    },
  }, "Erase");
  sheet.onreset = () => {
    thickness.max = Math.max(4, sheet.thickness * 3);
    thickness.value = sheet.thickness;
    colour.hidden = state.model.grid.channels !== 3;
    colour.value = `#${sheet.ink.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  };
  return h("div", { class: "brush" },
    h("label", { class: "slider" }, h("span", {}, "Brush"), thickness, colour),
    h("div", { class: "buttons" },
      h("button", { type: "button", onclick: () => sheet.clear() }, "Clear"),
      h("button", { type: "button", onclick: () => sheet.back() }, "Undo"),
      eraser,
      h("button", { type: "button", title: "255 minus each value", onclick: () => sheet.invert() }, "Invert")),
    h("div", { class: "buttons arrows", role: "group", "aria-label": "Shift by a pixel" },
      h("span", { class: "soft" }, "Shift"),
      [["←", "left", -1, 0], ["→", "right", 1, 0], ["↑", "up", 0, -1], ["↓", "down", 0, 1]]
        .map(([sign, name, x, y]) => icon(sign, `Shift ${name}`, () => sheet.shift(x, y)))));
}
