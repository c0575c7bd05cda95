// The drawer: everything about the run that is not one picture, in tabs.

import { h, icon, put } from "../dom.js";
import { key } from "../keys.js";
import { on, set, state } from "../state.js";
import { unitTab } from "../unit/tab.js";

const TABS = [
  ["unit", "Unit", unitTab],
];

/** Fill the drawer. */
export function drawer(place) {
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": "Details" });
  const body = h("div", { class: "tab-body", role: "tabpanel", tabindex: -1 });
  const handle = icon("▾", "Open or close the drawer", () => set({ open: !state.open }));
  const made = {};
  put(list, TABS.map(([name, title], at) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-selected": "false", title: `${title} (${at + 1})`,
    onclick: () => set({ tab: name, open: true }),
  }, title)), h("span", { class: "space" }), handle);
  list.addEventListener("keydown", (event) => walked(event, list));
  put(place, list, body);
  TABS.forEach(([name], at) => key(String(at + 1), () => set({ tab: name, open: true })));
  key("d", () => set({ open: !state.open }));
  on("unit", ({ unit }) => unit && set({ tab: "unit", open: true }));
  on("tab open", () => {
    place.classList.toggle("closed", !state.open);
    handle.textContent = state.open ? "▾" : "▴";
    const entry = TABS.find(([name]) => name === state.tab) ?? TABS[0];
    for (const tab of list.querySelectorAll("[role=tab]")) tab.setAttribute("aria-selected", String(tab.id === `tab-${entry[0]}`));
    body.setAttribute("aria-labelledby", `tab-${entry[0]}`);
    made[entry[0]] ??= entry[2]();
    if (body.firstChild !== made[entry[0]]) put(body, made[entry[0]]);
  });
}

function walked(event, list) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
}
