// Live: each change of the input becomes an answer and maps; while one is computed, only the newest waits.

import { post, trace, trying } from "./api.js";
import { on, set, state } from "./state.js";

let busy = false, waiting = false, changedAt = 0;

/** Compute again, as soon as what is being computed is there. */
export async function refresh() {
  if (!waiting) changedAt = performance.now();
  waiting = true;
  if (busy) return;
  busy = true;
  while (waiting) {
    waiting = false;
    await trying(computed);
  }
  busy = false;
}

async function computed() {
  const { run, input, edits, pages, byActivity } = state;
  if (!input || !state.model) return;
  const about = { run, pixels: input.pixels, epoch: state.epoch };
  const start = changedAt;
  const answering = post("predict", { ...about, edits }).then((answer) => {
    if (state.run !== run) return;
    set({ answer });
    performance.measure("answer", { start });
  });
  const bare = edits.length ? post("predict", about).then((before) => set({ before })) : null;
  const columns = await trace({ ...about, edits, pages, by_activity: byActivity });
  await Promise.all([answering, bare]);
  if (!edits.length && state.before && !input.masked) set({ before: null });
  if (state.run !== run) return;
  set({ columns });
  requestAnimationFrame(() => performance.measure("maps", { start })); // behind the drawing, which asked before
}

on("input edits pages byActivity model epoch", refresh);
