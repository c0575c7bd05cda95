// The network: a column for each layer from left to right, branches in lanes below each other.

import { choice, h, put } from "../dom.js";
import { key } from "../keys.js";
import { on, set, state } from "../state.js";
import { Column } from "./column.js";
import { edges } from "./edges.js";

const HEAD = 96; // pixels of a column that are not maps
const NEAR = "0px 160px"; // columns so near to the view are drawn too

/** Fill the place of the network. */
export function network(place) {
  const scroll = h("div", { class: "columns" });
  let columns = [];
  let frame = 0, laid = "", sought = true; // sought: the unit of the link is brought into view at first
  const line = tools();
  put(place, line, scroll);

  const seen = new IntersectionObserver((found) => {
    for (const { target, isIntersecting } of found) columns.find(({ element }) => element === target)?.see(isIntersecting);
  }, { root: scroll, rootMargin: NEAR });

  function build({ model }) {
    if (!model) return;
    if (!place.contains(scroll)) put(place, line, scroll);
    seen.disconnect();
    for (const column of columns) column.release();
    const lanes = laned(model.columns);
    columns = model.columns.map((layer) => new Column(layer));
    for (const column of columns) seen.observe(column.element);
    put(scroll, columns.map((column, at) => {
      Object.assign(column.element.style, { gridColumn: model.columns[at].depth + 1, gridRow: lanes[at] + 1 });
      return column.element;
    }));
    scroll.append(edges(scroll, model));
    place.dataset.lanes = Math.max(...lanes) + 1;
    laid = "";
    sought = true;
    draw();
  }

  function draw() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(drawn);
  }

  function drawn() {
    if (!state.model || !state.columns || state.columns.length !== columns.length) return;
    const lanes = Number(place.dataset.lanes) || 1;
    const tall = Math.max(60, (place.clientHeight - 60) / lanes - HEAD);
    state.peak = Math.max(...state.columns.map((maps) => maps.peak));
    const edge = getComputedStyle(place).getPropertyValue("--edge");
    const resized = columns.map((column, at) => column.show(state.columns[at], tall, edge));
    const shape = [place.clientWidth, place.clientHeight, state.model.run].join();
    if (resized.includes(true) || shape !== laid) scroll.onlaid?.();
    laid = shape;
    if (sought) reveal(state);
    sought = false;
  }

  /** Bring the column of a unit into view, when it was not chosen there. */
  function reveal({ unit }) {
    const box = columns[unit?.column]?.element.getBoundingClientRect(), frame_ = scroll.getBoundingClientRect();
    if (box && (box.left < frame_.left || box.right > frame_.right)) {
      scroll.scrollLeft += box.left - frame_.left - frame_.width / 2 + box.width / 2;
    }
  }

  const near = (column) => scroll.onnear?.(Number(column?.id.slice(7) ?? -1));
  for (const kind of ["pointerover", "focusin"]) scroll.addEventListener(kind, ({ target }) => near(target.closest(".column")));
  for (const kind of ["pointerleave", "focusout"]) scroll.addEventListener(kind, () => near(null));
  on("model", build);
  on("unit", (now) => { if (!sought) requestAnimationFrame(() => reveal(now)); });
  on("columns health global size unitFound themed tab open", draw); // the frame of a unit comes with its answer
  new ResizeObserver(draw).observe(place);
  key("n", () => scroll.querySelector("canvas")?.focus());
  key("Escape", () => set({ unit: null }));
}

/** Sort, scale and size of the maps. */
function tools() {
  const size = h("input", {
    type: "range", min: 0.5, max: 3, step: 0.25, value: state.size, "aria-label": "Size of the maps",
    oninput: () => set({ size: Number(size.value) }),
  });
  return h("div", { class: "tools-line" },
    h("h2", {}, "Network"),
    choice("Order of the maps", [[false, "in order"], [true, "strongest first"]], state.byActivity, (byActivity) => set({ byActivity })),
    choice("Scale of the colours", [[false, "scale per layer"], [true, "one scale"]], state.global, (global) => set({ global })),
    h("label", { class: "slider" }, h("span", {}, "size"), size),
    h("span", { class: "legend", "aria-label": "Orange is below zero, blue above" }, "−", h("i", {}), "+"));
}

/** The lane of each column: that of what it reads, or the next one that is free at its depth. */
function laned(columns) {
  const taken = {};
  return columns.map(({ depth, inputs }, at, all) => {
    const free = taken[depth] ??= new Set();
    const wanted = inputs.length ? Math.min(...inputs.map((source) => all[source].lane)) : 0;
    let lane = wanted;
    while (free.has(lane)) lane += 1;
    free.add(lane);
    all[at].lane = lane;
    return lane;
  });
}
