// A column: one layer with all its maps on one canvas, which can be pointed at and walked over by keys.

import { h, icon, tell } from "../dom.js";
import { LOST, painted } from "../colour.js";
import { count, value } from "../numbers.js";
import { set, state } from "../state.js";
import { framed, outline } from "./field.js";
import { arranged, corner, found } from "./tiles.js";
import { hideTip, showTip } from "./tip.js";

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** The column of one layer of the model. */
export class Column {
  constructor(layer) {
    this.layer = layer;
    this.cursor = null;
    this.inView = false;
    this.strip = document.createElement("canvas"); // all maps below each other, pixel by pixel
    this.canvas = h("canvas", { tabindex: 0, role: "application", "aria-label": named(layer) });
    this.pager = h("div", { class: "pager", hidden: true },
      icon("‹", `Maps before, ${layer.name}`, () => this.turn(-1)), h("span"),
      icon("›", `Maps after, ${layer.name}`, () => this.turn(1)));
    this.range = h("span", { class: "range soft" });
    this.element = h("article", { class: `column ${layer.kind}`, id: `column-${layer.id}` },
      h("header", { title: told(layer) },
        h("h3", {}, layer.name),
        h("p", {}, layer.type, layer.detail && ` ${layer.detail}`),
        h("p", { class: "soft" }, shaped(layer), layer.parameters ? ` · ${count(layer.parameters)}` : "")),
      this.canvas, this.pager, this.range);
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", hideTip);
    this.canvas.addEventListener("click", (event) => this.choose(this.at(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("blur", () => { this.cursor = null; this.draw(); });
  }

  /** Take what the layer made of the input; return whether the column has another size now. */
  show(maps, tall, edge) {
    Object.assign(this, { maps, tall, edge });
    const { width, height } = this.canvas.style;
    this.arrange();
    this.foot();
    this.draw();
    return width !== this.canvas.style.width || height !== this.canvas.style.height;
  }

  /** Draw from now on, or give the pixels back: a network has many columns, and few are in view. */
  see(inView) {
    this.inView = inView;
    if (inView) this.draw();
    else this.release();
  }

  release() {
    for (const canvas of [this.canvas, this.strip]) canvas.width = canvas.height = 0;
  }

  arrange() {
    const { maps } = this;
    this.layout = arranged({
      count: maps.channels.length, height: maps.height, width: maps.width, vector: this.layer.vector,
      narrow: this.layer.kind === "passes",
    }, this.tall, state.size);
    const { fullWidth: width, fullHeight: height } = this.layout;
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
  }

  draw() {
    if (!this.maps || !this.inView) return;
    const { canvas, layout } = this;
    const dense = Math.min(window.devicePixelRatio || 1, 2) * (layout.tileWidth < 60 ? 2 : 1);
    const { fullWidth: width, fullHeight: height } = layout;
    const sizes = [Math.ceil(width * dense), Math.ceil(height * dense)];
    if (canvas.width !== sizes[0] || canvas.height !== sizes[1]) [canvas.width, canvas.height] = sizes; // a new buffer
    const context = canvas.getContext("2d");
    context.setTransform(dense, 0, 0, dense, 0, 0);
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    this.paint(context, layout);
    this.mark(context, layout);
  }

  paint(context, layout) {
    const { maps } = this, { width, height } = maps;
    const factor = state.global ? maps.peak / state.peak : 1;
    painted(maps.levels, width, height * maps.channels.length, factor, this.strip);
    maps.channels.forEach((_, at) => {
      const [x, y] = corner(layout, at);
      context.drawImage(this.strip, 0, at * height, width, height, x, y, layout.tileWidth, layout.tileHeight);
    });
    context.strokeStyle = this.edge;
    maps.channels.forEach((_, at) => {
      const [x, y] = corner(layout, at);
      context.strokeRect(x + 0.5, y + 0.5, layout.tileWidth - 1, layout.tileHeight - 1);
    });
    if (this.layer.vector) return;
    for (const at of maps.silent) this.cross(context, layout, at, this.dead.includes(maps.channels[at]));
  }

  /** The maps, or units, of this layer that were zero for every test picture that was looked at. */
  get dead() {
    return state.health?.dead[this.layer.name] ?? [];
  }

  /** A map that is zero everywhere is crossed out, one that always was, twice. */
  cross(context, layout, at, dead) {
    const [x, y] = corner(layout, at), { tileWidth, tileHeight } = layout;
    context.beginPath();
    context.moveTo(x, y + tileHeight);
    context.lineTo(x + tileWidth, y);
    if (dead) {
      context.moveTo(x, y);
      context.lineTo(x + tileWidth, y + tileHeight);
    }
    context.stroke();
  }

  /** Mark the chosen unit, what it sees here, and where the keys are. */
  mark(context, layout) {
    const { maps, layer } = this;
    const scale = layout.tileWidth / maps.full[2];
    maps.channels.forEach((channel, at) => {
      const [x, y] = corner(layout, at);
      const seen = state.unitFound?.field?.[layer.id];
      if (seen && !layer.vector && channel >= seen.channels[0] && channel < seen.channels[1]) {
        outline(context, layer.id, scale, x, y);
      }
    });
    const { unit } = state;
    if (unit?.column === layer.id) this.box(context, layout, maps.channels.indexOf(unit.channel), unit.row * scale, unit.col * scale, scale);
    if (this.cursor) {
      const cell = layout.tileWidth / maps.width;
      this.box(context, layout, this.cursor.at, this.cursor.row * cell, this.cursor.col * cell, cell);
    }
  }

  box(context, layout, at, down, across, side) {
    if (at < 0) return;
    const [x, y] = corner(layout, at), least = Math.max(side, 4);
    framed(context, x + across - (least - side) / 2, y + down - (least - side) / 2, least, least, 1.5);
  }

  foot() {
    const { maps, dead } = this, said = dead.length ? ` · ${dead.length} dead` : "";
    this.range.textContent = maps.lost ? `no numbers: ${count(maps.lost)} of ${count(maps.full.reduce((a, b) => a * b))}` : `${value(maps.least)} … ${value(maps.most)}${said}`;
    this.range.classList.toggle("lost", maps.lost > 0);
    this.range.title = dead.length ? `zero for each of ${state.health.samples} test pictures: ${dead.slice(0, 40).join(", ")}` : "";
    this.pager.hidden = this.pages < 2;
    this.pager.children[1].textContent = `${(state.pages[this.layer.id] ?? 0) + 1} / ${this.pages}`;
  }

  get pages() {
    return Math.ceil(this.maps.full[0] / this.maps.page);
  }

  turn(by) {
    const page = state.pages[this.layer.id] ?? 0;
    set({ pages: { ...state.pages, [this.layer.id]: (page + by + this.pages) % this.pages } });
  }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return this.layout && found(this.layout, event.clientX - box.left, event.clientY - box.top);
  }

  hover(event) {
    const place = this.at(event);
    if (place) showTip(event, this.text(place));
    else hideTip();
  }

  text({ at, row, col }) {
    const { maps, layer } = this;
    const level = maps.levels[(at * maps.height + row) * maps.width + col];
    const place = layer.vector ? "" : `, row ${this.full(row, 1)}, column ${this.full(col, 2)}`;
    const name = layer.vector ? "unit" : "map";
    return `${layer.name} ${name} ${maps.channels[at]}${place}: ${level === LOST ? "no number" : `about ${value((level / 127) * maps.peak)}`}`;
  }

  /** The position in the layer's own map of a pixel of a map that is drawn smaller. */
  full(position, axis) {
    const drawn = axis === 1 ? this.maps.height : this.maps.width;
    return Math.min(this.maps.full[axis] - 1, Math.floor(((position + 0.5) * this.maps.full[axis]) / drawn));
  }

  choose(place) {
    if (!place || this.layer.kind === "input") return;
    set({
      unit: {
        layer: this.layer.name, column: this.layer.id, channel: this.maps.channels[place.at],
        row: this.full(place.row, 1), col: this.full(place.col, 2),
      },
    });
  }

  key(event) {
    const { maps } = this;
    if (!maps) return;
    const cursor = this.cursor ?? { at: 0, row: Math.floor(maps.height / 2), col: Math.floor(maps.width / 2) };
    const turn = { PageUp: -1, PageDown: 1 }[event.key] ?? (this.layer.vector ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : undefined);
    const move = MOVES[event.key];
    if (event.key === "Enter" || event.key === " ") this.choose(this.cursor);
    else if (turn) cursor.at = (cursor.at + turn + maps.channels.length) % maps.channels.length;
    else if (move) {
      cursor.row = Math.max(0, Math.min(maps.height - 1, cursor.row + move[0]));
      cursor.col = Math.max(0, Math.min(maps.width - 1, cursor.col + move[1]));
    } else return;
    event.preventDefault();
    this.cursor = { ...cursor };
    tell(this.text(this.cursor));
    this.draw();
  }
}

function shaped(layer) {
  return layer.output.replaceAll(", ", " × ").replace(/[()]/g, "").replace(/ × $|,$/, "");
}

function named(layer) {
  return `${layer.name}, ${layer.type} ${layer.detail}, output ${layer.output}; arrows move, Enter opens a unit`;
}

function told(layer) {
  return [
    `${layer.name} (${layer.type})`, ...(layer.arithmetic ?? []),
    layer.macs ? `${count(layer.macs)} multiply-accumulates` : "",
    layer.field ? `sees ${layer.field} of the input, ${layer.step || "?"} from one unit to the next` : "",
  ].filter(Boolean).join("\n");
}
