// The sheet: the model's own grid of pixels, drawn on with a soft brush.

import { h } from "../dom.js";
import { key } from "../keys.js";
import { pictured } from "../colour.js";
import { on, onFrame, set, state } from "../state.js";
import { outline } from "../network/field.js";

const SHOWN = 232; // pixels of the screen
const GRID_UP_TO = 64; // cells a side that are still told apart
const UNDONE = 50;
const undo = []; // inputs that can come back

/** Keep the input, so that undo brings it back. */
export function keep() {
  undo.push(state.input);
  if (undo.length > UNDONE) undo.shift();
}

/** What changes where a part of the picture is taken away: the answer from before stays as a ghost. */
export function masking(pixels) {
  return { before: state.before ?? state.answer, input: { ...state.input, pixels, source: "draw", masked: true } };
}

/** The value of the ground: light where training pictures are light. */
export function ground() {
  return (state.model?.training?.mean ?? 0) > 127 ? 255 : 0;
}

/** The canvas with the picture, and below the pointer a brush. */
export class Sheet {
  constructor() {
    this.canvas = h("canvas", {
      class: "sheet", tabindex: 0, role: "img", width: SHOWN * 2, height: SHOWN * 2,
      "aria-label": "The picture that the network reads; draw with the pointer, arrows shift it",
    });
    this.element = h("div", { class: "sheet-frame" }, this.canvas);
    this.thickness = 0;
    this.erases = false;
    this.ink = [255, 255, 255];
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => { this.last = null; });
    this.canvas.addEventListener("keydown", (event) => this.shifted(event));
    onFrame("input model themed unitFound", () => this.draw());
    on("model", () => this.reset());
    key("ctrl z", () => this.back());
    key("c", () => this.clear());
  }

  get grid() {
    return state.model?.grid;
  }

  /** Ink is what differs from the ground: light on dark where training pictures are dark. */
  reset() {
    if (!this.grid) return;
    undo.length = 0;
    this.ground = ground();
    this.ink = Array(3).fill(255 - this.ground);
    this.thickness = Math.max(1.1, Math.min(this.grid.height, this.grid.width) * 0.042);
    this.onreset?.();
  }

  draw() {
    if (!this.grid || !state.input) return;
    const { height, width, channels } = this.grid;
    const side = SHOWN * 2, scale = side / Math.max(width, height);
    if (this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    const context = this.canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    this.picture = pictured({ ...state.input, height, width, channels }, this.picture);
    context.drawImage(this.picture, 0, 0, this.canvas.width, this.canvas.height);
    if (Math.max(height, width) <= GRID_UP_TO) this.lines(context, scale);
    outline(context, 0, scale, 0, 0, true);
  }

  lines(context, scale) {
    context.strokeStyle = "rgb(128 128 128 / 0.22)";
    context.lineWidth = 1;
    context.beginPath();
    for (let x = 1; x < this.grid.width; x += 1) context.rect(Math.round(x * scale) + 0.5, 0, 0, this.canvas.height);
    for (let y = 1; y < this.grid.height; y += 1) context.rect(0, Math.round(y * scale) + 0.5, this.canvas.width, 0);
    context.stroke();
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * this.grid.width,
      ((event.clientY - box.top) / box.height) * this.grid.height,
    ];
  }

  down(event) {
    if (!this.grid || event.button > 0) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    keep();
    this.last = this.at(event);
    this.stroke(this.last);
  }

  move(event) {
    if (!this.last) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) this.stroke(this.at(one));
  }

  /** Draw from the last place to this one: each pixel as dark as its distance to the line says. */
  stroke(to) {
    const from = this.last, { height, width, channels } = this.grid, radius = this.thickness;
    const pixels = Uint8Array.from(state.input.pixels);
    const reach = radius + 1;
    const [left, right] = [Math.min(from[0], to[0]) - reach, Math.max(from[0], to[0]) + reach];
    const [top, bottom] = [Math.min(from[1], to[1]) - reach, Math.max(from[1], to[1]) + reach];
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, bottom); y += 1) {
      for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, right); x += 1) {
        const covered = Math.max(0, Math.min(1, radius + 0.5 - distance(x + 0.5, y + 0.5, from, to)));
        for (let part = 0; part < channels; part += 1) {
          const at = (y * width + x) * channels + part;
          const target = this.erases ? this.ground : this.ink[part];
          const blended = Math.round(pixels[at] + (target - pixels[at]) * covered);
          const further = Math.abs(target - blended) < Math.abs(target - pixels[at]);
          if (further) pixels[at] = blended;
        }
      }
    }
    this.last = to;
    if (this.erases) set(masking(pixels)); else set({ input: { pixels, source: "draw" } });
  }

  back() {
    const before = undo.pop();
    if (before) set({ input: before });
  }

  clear() {
    if (!this.grid) return;
    keep();
    const { height, width, channels } = this.grid;
    set({ input: { pixels: new Uint8Array(height * width * channels).fill(this.ground), source: "draw" } });
  }

  invert() {
    keep();
    set({ input: { ...state.input, source: "draw", pixels: state.input.pixels.map((one) => 255 - one) } });
  }

  shifted(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!steps) return;
    event.preventDefault();
    this.shift(...steps);
  }

  shift(across, down) {
    keep();
    const { height, width, channels } = this.grid, old = state.input.pixels;
    const pixels = new Uint8Array(old.length).fill(this.ground);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const fromX = x - across, fromY = y - down;
        if (fromX < 0 || fromY < 0 || fromX >= width || fromY >= height) continue;
        for (let part = 0; part < channels; part += 1) {
          pixels[(y * width + x) * channels + part] = old[(fromY * width + fromX) * channels + part];
        }
      }
    }
    set({ input: { pixels, source: "draw" } });
  }
}

function distance(x, y, [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay, length = dx * dx + dy * dy;
  const share = length ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}
