// The top bar: which run, in which state, beside which other one; theme and link.

import { h, icon, put, svg, tell } from "./dom.js";
import { showKeys } from "./keys.js";
import { theme } from "./colour.js";
import { called } from "./drawer/epochs.js";
import { link, on, set, state } from "./state.js";
import { count } from "./numbers.js";

/** Fill the bar. */
export function top(bar) {
  const runs = h("select", { "aria-label": "Run", onchange: () => set({ run: runs.value }) });
  const second = h("select", { "aria-label": "Second run", onchange: () => set({ second: second.value }) });
  const facts = h("span", { class: "facts" });
  const training = h("span", { class: "badge", hidden: true });
  const old = h("button", { type: "button", class: "badge", hidden: true, title: "Back to the network as it is", onclick: () => set({ epoch: null }) });
  put(bar,
    h("h1", { class: "brand" }, h("a", { href: "/", "aria-label": "Striate" }, mark(), h("b", {}, "striate"))),
    h("label", { class: "field" }, h("span", {}, "run"), runs), training, old,
    h("label", { class: "field" }, h("span", {}, "beside"), second), facts,
    h("span", { class: "space" }),
    icon("?", "Keys", showKeys),
    icon(chain(), "Copy a link to this view", copied),
    icon("◐", "Light or dark", turned));
  on("runs run second", () => {
    put(runs, state.runs.map((name) => h("option", { value: name }, name)));
    put(second, h("option", { value: "" }, "none"), state.runs.filter((name) => name !== state.run)
      .map((name) => h("option", { value: name }, name)));
    runs.value = state.run;
    second.value = state.second;
  });
  on("model", ({ model }) => put(facts, model
    ? `${model.columns.length} layers · ${count(model.parameters)} parameters` +
      (model.macs === null ? "" : ` · ${count(model.macs)} MACs` ) : ""));
  on("epoch", ({ epoch }) => {
    old.hidden = epoch === null;
    old.textContent = epoch === null ? "" : `${called(epoch)} ×`;
  });
  on("progress", ({ progress }) => {
    training.hidden = !progress;
    training.textContent = progress ?? "";
    training.classList.toggle("moving", Boolean(progress?.startsWith("training")));
  });
}

function mark() {
  const arcs = [10, 17, 24].map((y, at) => svg("path", { d: `M8 ${y}q8-5 16 0`, opacity: 1 - at / 4 }));
  return svg("svg", { viewBox: "0 0 32 32", class: "mark", "aria-hidden": "true" },
    svg("rect", { width: 32, height: 32, rx: 7 }), arcs);
}

function chain() {
  return svg("svg", { viewBox: "0 0 16 16", class: "glyph", "aria-hidden": "true" },
    svg("path", { d: "M6.5 9.5l3-3M7 4.5l1.6-1.6a3 3 0 0 1 4.3 4.3L11.3 8.8M9 11.5l-1.6 1.6a3 3 0 0 1-4.3-4.3L4.7 7.2" }));
}

async function copied() {
  const { words, whole } = await link();
  const address = `${location.href.split("#")[0]}#${words}`;
  try {
    await navigator.clipboard.writeText(address);
    tell(whole ? "The link is copied." : "The link is copied; the picture is too large for it.");
  } catch {
    window.prompt("The link to this view", address);
  }
}

function turned() {
  const next = theme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("striate-theme", next);
  set({ themed: next });
}
