// Play: the kernel slides from place to place over its input; each place is a unit of the map.

import { h, icon } from "../dom.js";
import { on, set, state } from "../state.js";

const PAUSE = 280; // ms between two places

/** Buttons that go to the next place, or go on by themselves. */
export function player() {
  let timer = 0;
  const play = h("button", { type: "button", onclick: toggle }, "▶ Slide");
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "▶ Slide"; };

  function toggle() {
    if (timer) return stop();
    play.textContent = "❚❚ Stop";
    timer = setInterval(() => (state.unit && document.visibilityState === "visible" ? step(1) : stop()), PAUSE);
    return undefined;
  }

  on("unit run", ({ unit }) => { if (!unit) stop(); });
  return h("span", { class: "buttons", role: "group", "aria-label": "Slide over the input" },
    icon("‹", "Place before", () => step(-1)), play, icon("›", "Next place", () => step(1)));
}

function step(by) {
  const { unit, columns } = state;
  const [channels, height, width] = columns[unit.column].full;
  if (height * width === 1) return set({ unit: { ...unit, channel: (unit.channel + by + channels) % channels } });
  const place = (unit.row * width + unit.col + by + height * width) % (height * width);
  return set({ unit: { ...unit, row: Math.floor(place / width), col: place % width } });
}
