// Main: the parts of the page, put together; then the run that the address or the server chose.

import { get, picture, trying } from "./api.js";
import { unpacked } from "./bytes.js";
import { note } from "./messages.js";
import { linked, on, set, state } from "./state.js";
import "./live.js";
import "./keys.js";
import { top } from "./top.js";
import { inputPanel } from "./input/panel.js";
import { network } from "./network/network.js";
import { outputPanel } from "./output/panel.js";
import { drawer } from "./drawer/drawer.js";

const asked = linked();
set({ byActivity: asked.byActivity, global: asked.global, size: asked.size || 1 }); // the tools of the network begin with them

top(document.getElementById("top"));
drawer(document.getElementById("drawer"));
inputPanel(document.getElementById("input"));
network(document.getElementById("network"));
outputPanel(document.getElementById("output"));

on("run", ({ run }) => trying(() => opened(run)));
on("second", ({ second }) => trying(async () => {
  set({ secondModel: second ? await get("model", { run: second }) : null });
}));

/** Show a run: its network, and a picture for it to look at. */
async function opened(run) {
  document.title = `${run} – Striate`;
  set({ model: null, health: null, answer: null, before: null, columns: null, unit: null, epoch: null, edits: [], pages: {} });
  try {
    const model = await get("model", { run });
    if (state.run !== run) return;
    const input = await first(model);
    if (state.run !== run) return;
    const { unit, tab, ...more } = later(model);
    set({ model, input, ...more });
    if (unit) set({ unit });
    if (unit && tab) set({ tab }); // a unit that is chosen opens its own
    setTimeout(() => trying(() => looked(run)), 1500); // when the first picture is shown
  } catch (error) {
    if (!error.error) throw error;
    document.getElementById("network").replaceChildren(note(error.error));
    set({ tab: state.tab || "curves" });
  }
}

/** Learn which maps are dead, over many pictures. */
async function looked(run) {
  if (state.run !== run) return;
  const health = await get("health", { run });
  if (state.run === run) set({ health });
}

/** The picture of the address, or a sample, or an empty sheet. */
async function first(model) {
  const { height, width, channels } = model.grid;
  const { sample } = asked;
  const pixels = asked.pixels && await unpacked(asked.pixels, height * width * channels);
  asked.pixels = asked.sample = null; // a link that was cut begins with a sample
  if (pixels) return { pixels, source: "draw" };
  if (model.pictures.test || model.pictures.train) {
    const at = sample ?? 0;
    return { source: "sample", ...picture(await get("sample", { run: model.run, kind: "index", at })) };
  }
  return { pixels: new Uint8Array(height * width * channels), source: "draw" };
}

/** What the address asks of the first run that is shown: a unit, an epoch, changes, pages. */
function later(model) {
  if (asked.done || (asked.run && model.run !== asked.run)) return {};
  asked.done = true;
  const column = model.columns.find(({ name }) => name === asked.unit?.layer);
  return {
    unit: column ? { ...asked.unit, column: column.id } : null, tab: asked.tab, pages: asked.pages,
    edits: asked.edits.filter(({ layer }) => model.columns.some(({ name }) => name === layer)),
    epoch: model.epochs.includes(asked.epoch) ? asked.epoch : null,
  };
}

trying(async () => {
  const { runs, chosen } = await get("runs");
  const run = runs.includes(asked.run) ? asked.run : chosen;
  set({
    runs, tab: asked.tab, open: asked.open,
    second: runs.includes(asked.second) ? asked.second : "",
  });
  if (run) set({ run });
});
