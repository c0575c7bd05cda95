// Live: each change of the input becomes an answer, and maps; while one is computed, only the newest waits.

import { post, trace, trying } from "./api.js";
import { on, set, state } from "./state.js";

const KEPT = 1000; // measures of a kind that can be read

/** Tell how long something took since `start`. */
export function measured(name, start) {
  if (performance.getEntriesByName(name).length >= KEPT) performance.clearMeasures(name);
  performance.measure(name, { start });
}

/** Do `work` for the newest state, again and again, one at a time; it is told when the change was. */
function newest(work) {
  let busy = false, waiting = false, changed = 0;
  return async () => {
    if (!waiting) changed = performance.now();
    waiting = true;
    if (busy) return;
    busy = true;
    while (waiting) {
      waiting = false;
      const start = changed;
      if (state.input && state.model) await trying(() => work(start));
    }
    busy = false;
  };
}

// The answer does not wait for the maps: it is there while a line is still drawn.
on("input edits model epoch", newest(async (start) => {
  const { run, input, edits, epoch } = state;
  const about = { run, pixels: input.pixels, epoch };
  const answer = await post("predict", { ...about, edits });
  if (state.run !== run) return;
  set({ answer });
  measured("answer", start);
  if (edits.length) set({ before: await post("predict", about) });
  else if (state.before && !input.masked) set({ before: null });
}));

on("input edits pages byActivity model epoch", newest(async (start) => {
  const { run, input, edits, epoch, pages, byActivity } = state;
  const columns = await trace({ run, pixels: input.pixels, epoch, edits, pages, by_activity: byActivity });
  if (state.run !== run) return;
  set({ columns });
  requestAnimationFrame(() => measured("maps", start)); // behind the drawing, which asked before
}));
