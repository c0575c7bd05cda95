// The drawer: everything about the run that is not one picture, in tabs.

import { h, icon, put } from "../dom.js";
import { key } from "../keys.js";
import { on, set, state } from "../state.js";
import { unitTab } from "../unit/tab.js";
import { curvesTab } from "./curves.js";
import { mistakesTab } from "./mistakes.js";
import { kernelsTab } from "./kernels.js";
import { epochsTab } from "./epochs.js";
import { compareTab } from "./compare.js";
import { dataTab } from "./data.js";
import { learnTab, lessonStrip } from "./learn.js";

const TABS = [
  ["unit", "Unit", unitTab], ["curves", "Curves", curvesTab], ["mistakes", "Mistakes", mistakesTab],
  ["kernels", "Kernels", kernelsTab], ["epochs", "Epochs", epochsTab], ["compare", "Compare", compareTab],
  ["data", "Data", dataTab], ["learn", "Learn", learnTab],
];
const FIRST = "curves";

/** Fill the drawer. A tab is made when it is opened for the first time. */
export function drawer(place) {
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Details" });
  const body = h("div", { class: "tab-body", role: "tabpanel", tabindex: 0 });
  const handle = icon("▾", "Open or close the drawer", () => set({ open: !state.open }));
  const made = {};
  put(list, TABS.map(([name, title], at) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-selected": "false", title: `${title} (${at + 1})`,
    onclick: () => set({ tab: name, open: true }),
  }, title)));
  list.addEventListener("keydown", (event) => walked(event, list));
  put(place, h("div", { class: "drawer-head" }, list, h("span", { class: "space" }), handle), lessonStrip(), body);
  TABS.forEach(([name], at) => key(String(at + 1), () => set({ tab: name, open: true })));
  key("d", () => set({ open: !state.open }));
  on("unit", ({ unit }) => unit && set({ tab: "unit", open: true }));

  function show() {
    place.classList.toggle("closed", !state.open);
    handle.textContent = state.open ? "▾" : "▴";
    const [name, , make] = TABS.find(([one]) => one === (state.tab || FIRST)) ?? TABS[1];
    for (const tab of list.children) {
      tab.setAttribute("aria-selected", String(tab.id === `tab-${name}`));
      tab.tabIndex = tab.id === `tab-${name}` ? 0 : -1;
    }
    body.setAttribute("aria-labelledby", `tab-${name}`);
    if (!state.run) return;
    made[name] ??= make();
    if (body.firstChild !== made[name]) put(body, made[name]);
    set({ tab: name, shownTab: name });
  }
  on("tab open run", show);
}

function walked(event, list) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const tabs = [...list.children];
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  next.click();
  next.focus();
}
