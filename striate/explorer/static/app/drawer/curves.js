// Curves: the numbers of each epoch and, lighter, between them; they grow while another process trains.

import { h, put } from "../dom.js";
import { on, set, state } from "../state.js";
import { chart, dropped, unzoom } from "./chart.js";
import { count, many, value } from "../numbers.js";
import { whenOpen } from "./open.js";

let source = null;

// The numbers are listened to all the time: the top bar shows how far training is.
on("run", ({ run }) => {
  source?.close();
  unzoom();
  set({ rows: [], steps: [], alarms: [], progress: null, over: false });
  if (!run) return;
  source = new EventSource(`/api/curves?${new URLSearchParams({ run })}`);
  source.onmessage = ({ data }) => {
    const { since, rows: added, steps, alarms, state: word, done, planned, left_s: left } = JSON.parse(data);
    if (state.run !== run) return;
    if (word !== "training") source.close();
    const before = state.progress;
    const rows = [...state.rows.slice(0, since), ...added];
    set({ rows, steps, alarms, over: word === "finished", progress: word === "finished" ? null : said(word, done, planned, left, steps.at(-1)) });
    if (before?.startsWith("training") && word === "finished") set({ model: null, ended: run });
  };
});

function said(word, done, planned, left, last) {
  const epochs = planned ? `epoch ${Math.min(done + (word === "training" ? 1 : 0), planned)} of ${planned}` : `${done} epochs`;
  const step = planned && last ? `, step ${count(last.step)} of ${count(Math.round((planned * last.step) / last.at))}` : "";
  const minutes = left === null || left === undefined ? "" : left < 90 ? `, ${Math.ceil(left)} s left` : `, ${Math.ceil(left / 60)} min left`;
  return `${word}, ${epochs}${step}${minutes}`;
}

/** The tab. */
export function curvesTab() {
  const place = h("div", { class: "charts" }), warnings = h("div"), facts = h("p", { class: "soft curve-facts" });
  const smooth = h("input", { type: "range", min: 0, max: 0.95, step: 0.05, value: 0, "aria-label": "Smoothing of the lines between the epochs", oninput: () => show() });
  const smoothing = h("label", { class: "slider smoothing", hidden: true, title: "A moving mean of the lines between the epochs" }, h("span", {}, "smooth"), smooth);
  const show = () => {
    const { rows, steps, alarms } = state;
    dropped(place);
    put(warnings, alarms.map(({ text }) => h("p", { class: "warning" }, `${text[0].toUpperCase()}${text.slice(1)}.`)));
    const none = state.over ? "This run tells no numbers of its epochs." : "No epoch is over yet; the curves begin with the first steps.";
    if (!rows.length && steps.length < 2) return put(place, h("p", { class: "soft" }, none)), put(facts);
    smoothing.hidden = steps.length < 3;
    put(place, charts(rows, smoothed(steps, Number(smooth.value)), alarms.map(({ at }) => at)));
    put(facts, rows.length ? best(rows) : "The first epoch is not over yet.");
    return undefined;
  };
  whenOpen("curves", "rows steps alarms themed", show);
  return h("div", {}, warnings, place, h("div", { class: "curves-foot" }, facts, smoothing));
}

const PLACES = ["epoch", "at", "step", "steps"];
const TITLES = { lr: "learning rate", images_s: "images a second", seconds: "seconds" };

/** Each number with that of validation beside it. */
function charts(rows, steps, pins) {
  const names = [...new Set([...rows.flatMap(Object.keys), ...steps.flatMap(Object.keys)])].filter((name) => !PLACES.includes(name));
  const pinned = names.some((name) => /loss/.test(name)) ? /loss/ : /./;
  const own = names.filter((name) => !(name.startsWith("val_") && names.includes(name.slice(4))));
  return own.map((name) => chart(TITLES[name] ?? name.replaceAll("_", " "), [
    ...(steps.some((one) => name in one) ? [{ name: "steps", light: true, colour: "--blue", points: steps.filter((one) => name in one).map((one) => [one.at, one[name]]) }] : []),
    ...(rows.some((row) => name in row) ? [{ name: names.includes(`val_${name}`) ? "training" : name, colour: "--blue", points: points(rows, name) }] : []),
    ...(names.includes(`val_${name}`) ? [{ name: "validation", dashed: true, colour: "--orange", points: points(rows, `val_${name}`) }] : []),
  ], pinned.test(name) ? pins : []));
}

/** A moving mean: each number keeps `share` of the one before. */
function smoothed(steps, share) {
  if (!share) return steps;
  const mean = {};
  return steps.map((row) => Object.fromEntries(Object.entries(row).map(([name, one]) => {
    if (PLACES.includes(name)) return [name, one];
    mean[name] = name in mean ? share * mean[name] + (1 - share) * one : one;
    return [name, mean[name]];
  })));
}

/** The places of a curve. */
export function points(rows, name) {
  return rows.filter((row) => name in row).map((row) => [row.epoch, row[name]]);
}

function best(rows) {
  const losses = rows.filter((row) => "val_loss" in row);
  const epochs = many(rows.length, "epoch");
  if (!losses.length) return epochs;
  const least = losses.reduce((a, b) => (b.val_loss < a.val_loss ? b : a));
  return `${epochs}; the least validation loss, ${value(least.val_loss)}, at epoch ${least.epoch}. Drag over a chart to zoom, double click to see all.`;
}
