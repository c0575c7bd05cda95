// What a tab does only while it is open.

import { on, state } from "../state.js";

/** Do something when a tab is open and one of the names has changed since it was done last. */
export function whenOpen(tab, names, run) {
  let stale = true;
  const look = () => {
    if (!stale || state.shownTab !== tab || !state.open) return;
    stale = false;
    run();
  };
  on(names, () => { stale = true; look(); });
  on("shownTab open", look);
  look();
}
