// Learn: the list of lessons, and the strip that stays while a lesson operates the page.

import { h, icon, put } from "../dom.js";
import { on, set, state } from "../state.js";
import { LESSONS, taught } from "./lessons.js";

/** The tab: all lessons. */
export function learnTab() {
  const list = h("ol", { class: "lessons" });
  const show = () => put(list, LESSONS.map(([title], at) => h("li", {}, h("button", {
    type: "button", "aria-current": state.lesson === at ? "step" : null, disabled: !state.model, onclick: () => go(at),
  }, h("span", { class: "step" }, at + 1), title))));
  on("lesson model", show);
  show();
  return h("div", {}, h("p", { class: "soft hint" }, "Twelve short lessons on your own network. Each one sets this page; go on with Next."), list);
}

/** The strip of the lesson that is on. */
export function lessonStrip() {
  const strip = h("div", { class: "lesson", hidden: true, role: "region", "aria-label": "Lesson" });
  on("lesson model", ({ lesson, model }) => {
    strip.hidden = lesson === null || lesson === undefined || !model;
    if (strip.hidden) return;
    const [title, text] = LESSONS[lesson];
    put(strip, h("span", { class: "step" }, lesson + 1), h("p", {}, h("b", {}, title), ` ${text(model)}`),
      h("span", { class: "buttons" },
        icon("‹", "Lesson before", () => go(lesson - 1), { disabled: lesson === 0 }),
        h("button", { type: "button", class: "main", onclick: () => (lesson === LESSONS.length - 1 ? set({ lesson: null }) : go(lesson + 1)) }, lesson === LESSONS.length - 1 ? "Done" : "Next"),
        icon("×", "End the lessons", () => set({ lesson: null }))));
  });
  return strip;
}

function go(number) {
  set({ lesson: number });
  taught(number);
}
