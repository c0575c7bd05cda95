// State: what is shown at this moment, who wants to know of a change, and the link that brings it back.

import { packed } from "./bytes.js";

const LINK_PICTURE = 1000000; // characters of a compressed picture that travels in the link: browsers take two million

/** Everything that is shown. Parts of the page read it and change it by `set`. */
export const state = {
  runs: [], run: "", second: "", model: null, secondModel: null,
  input: null, // {pixels, source: "draw" | "image" | "sample", index, label, steps}
  answer: null, before: null, columns: null, health: null, // before: the answer without what-if
  epoch: null, // the network after an epoch; null: as it is
  unit: null, // {layer, column, channel, row, col}
  edits: [], pages: {}, byActivity: false, global: false, size: 1,
  tab: "", shownTab: "", open: true, lesson: null, rows: [], steps: [], alarms: [], progress: null, over: false,
};

const listeners = [];

/** Call `run(state)` after any of the named parts has changed. */
export function on(names, run) {
  listeners.push([names.split(" "), run]);
}

/** Like `on`, but once before the next frame is painted: for drawings that many changes would repeat. */
export function onFrame(names, run) {
  let asked = 0;
  on(names, () => { asked ||= requestAnimationFrame(() => { asked = 0; run(state); }); });
}

/** Change parts of the state and tell those who listen. */
export function set(changes) {
  const changed = Object.keys(changes).filter((name) => state[name] !== changes[name]);
  Object.assign(state, changes);
  for (const [names, run] of listeners) if (names.some((name) => changed.includes(name))) run(state, changed);
  if (changed.some((name) => LINKED.includes(name))) remember();
}

const LINKED = ["run", "second", "input", "unit", "tab", "byActivity", "global", "open", "epoch", "edits", "pages", "size"];
let timer = 0;

function remember() {
  clearTimeout(timer);
  const mine = timer = setTimeout(async () => {
    const { words } = await link();
    if (mine === timer) history.replaceState(null, "", `#${words}`);
  }, 200);
}

/** The part of the address that brings this view back, and whether it brings the picture too. */
export async function link() {
  const drawn = state.input && state.input.source !== "sample";
  const picture = drawn ? await packed(state.input.pixels) : "";
  const whole = picture.length <= LINK_PICTURE;
  const words = new URLSearchParams();
  if (state.run) words.set("run", state.run);
  if (state.second) words.set("with", state.second);
  const { input, unit } = state;
  if (input?.source === "sample") words.set("sample", input.index);
  else if (picture && whole) words.set("pixels", picture);
  if (unit) words.set("unit", [unit.channel, unit.row, unit.col, unit.layer].join("."));
  if (state.epoch !== null) words.set("epoch", state.epoch);
  for (const { layer, channel, factor, kernel } of state.edits) words.append("edit", [channel, factor, Number(kernel), layer].join("~"));
  for (const [column, page] of Object.entries(state.pages)) if (page) words.append("page", `${column}.${page}`);
  if (state.size !== 1) words.set("size", state.size);
  if (state.tab) words.set("tab", state.tab);
  if (state.byActivity) words.set("sort", "activity");
  if (state.global) words.set("scale", "global");
  if (!state.open) words.set("drawer", "closed");
  return { words: words.toString(), whole };
}

/** What the address asks for. */
export function linked() {
  const words = new URLSearchParams(location.hash.slice(1));
  const [channel, row, col, ...layer] = (words.get("unit") ?? "").split(".");
  return {
    run: words.get("run"), second: words.get("with") ?? "", tab: words.get("tab") ?? "",
    sample: words.has("sample") ? Number(words.get("sample")) : null, pixels: words.get("pixels"),
    unit: layer.length ? { layer: layer.join("."), channel: +channel, row: +row, col: +col } : null,
    epoch: words.has("epoch") ? Number(words.get("epoch")) : null,
    edits: words.getAll("edit").map((edit) => edit.split("~")).map(([at, factor, kernel, ...name]) => (
      { layer: name.join("~"), channel: +at, factor: +factor, kernel: kernel === "1" })),
    pages: Object.fromEntries(words.getAll("page").map((page) => page.split(".").map(Number))),
    size: Number(words.get("size") ?? 1),
    byActivity: words.get("sort") === "activity", global: words.get("scale") === "global",
    open: words.get("drawer") !== "closed",
  };
}
