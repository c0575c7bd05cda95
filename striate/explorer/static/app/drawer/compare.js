// Compare: all runs in a table; two of them by their settings, curves, and the pictures in dispute.

import { get, picture, post, trace, trying } from "../api.js";
import { h, head, put } from "../dom.js";
import { painted, pictured } from "../colour.js";
import { many, percent, value } from "../numbers.js";
import { set, state } from "../state.js";
import { sample } from "../input/samples.js";
import { chart, dropped, sparkline } from "./chart.js";
import { looked } from "./kernels.js";
import { points } from "./curves.js";
import { said } from "../output/said.js";
import { whenOpen } from "./open.js";

const MAPS = 16; // of a layer that are shown beside those of the other network

/** The tab. */
export function compareTab() {
  const table = h("div", { class: "runs-part" }), pair = h("div", { class: "pair" }), maps = h("div"), unit = h("div");
  whenOpen("compare", "run runs", () => trying(async () => {
    const { runs } = await get("table");
    put(table, listed(runs));
  }));
  whenOpen("compare", "run second themed", () => trying(async () => {
    dropped(pair);
    if (!state.second) return put(pair, h("p", { class: "soft" }, "Choose a second run, in the table or above, to see the two beside each other."));
    put(pair, h("p", { class: "soft" }, "comparing …"));
    const found = await get("compare", { one: state.run, other: state.second });
    dropped(pair);
    put(pair, both(found));
    return undefined;
  }));
  whenOpen("compare", "secondModel columns answer unit themed", () => trying(() => sameMaps(maps)));
  whenOpen("compare", "secondModel unitFound", () => trying(() => sameUnit(unit)));
  return h("div", { class: "compare" }, table, h("div", {}, maps, unit, pair));
}

function listed(runs) {
  return h("table", { class: "runs" }, head(["run", "curve", "best", "test", "state", ""]),
    h("tbody", {}, runs.map((one) => h("tr", { "aria-current": one.run === state.run ? "true" : null },
      h("th", { scope: "row" }, h("button", { type: "button", class: "as-link", onclick: () => set({ run: one.run, second: state.second === one.run ? "" : state.second }) }, one.run)),
      h("td", { title: one.number }, one.curve.length ? sparkline(one.curve) : ""),
      h("td", { class: "number", title: one.number }, one.best === null ? "–" : value(one.best)),
      h("td", { class: "number" }, one.test_accuracy === null ? "–" : percent(one.test_accuracy, 2)),
      h("td", { class: "soft" }, one.state === "finished" ? many(one.done, "epoch") : one.state),
      h("td", {}, one.run !== state.run && h("button", { type: "button", "aria-pressed": String(one.run === state.second), onclick: () => set({ second: one.run }) }, "beside"))))));
}

function both(found) {
  const [one, other] = found.runs;
  const names = [...new Set(found.rows.flat().flatMap(Object.keys))].filter((name) => /^val_|^loss$|^accuracy$/.test(name)).slice(0, 4);
  return [
    h("section", {}, h("h3", {}, "What differs"), found.differs.length
      ? h("table", { class: "differs-table" }, head(["", one, other]),
        h("tbody", {}, found.differs.map(([name, a, b]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, a), h("td", {}, b)))))
      : h("p", { class: "soft" }, "Nothing in what was asked.")),
    h("section", {}, h("h3", {}, "Curves"), h("div", { class: "charts" }, names.map((name) => chart(name.replaceAll("_", " "), [
      { name: one, colour: "--blue", points: points(found.rows[0], name) },
      { name: other, colour: "--orange", dashed: true, points: points(found.rows[1], name) },
    ], [], 270, 150)))),
    disputed(found, one, other),
  ];
}

function disputed(found, one, other) {
  if (found.agreement === null) return h("p", { class: "soft" }, "They do not read the same pictures.");
  const { classes } = state.model ?? { classes: [] };
  const [onlyOne, onlyOther, neither] = found.only;
  return h("section", {}, h("h3", {}, `They disagree on ${many(found.disagree, "picture")}, and agree on ${percent(found.agreement, 2)}`),
    h("p", { class: "soft" }, `only ${one} is right: ${onlyOne}; only ${other}: ${onlyOther}; both wrong: ${neither}`),
    h("div", { class: "pictures" }, found.pictures.map((sent) => h("button", {
      type: "button", class: "card", title: `test picture ${sent.index}, a ${classes[sent.label]}`, onclick: () => sample("index", undefined, sent.index),
    }, pictured(picture(sent)), h("span", {}, classes[sent.label]), h("span", { class: "soft" }, sent.said.map((at) => classes[at]).join(" | "))))));
}

/** What both networks make of the picture: their answers, and the maps of one layer. */
async function sameMaps(place) {
  const { run, second, model, secondModel, input, columns, answer, pages } = state;
  if (!model || !secondModel || !columns || !answer || sized(model) !== sized(secondModel)) return put(place);
  const layer = state.unit?.layer ?? looked();
  const [own, other] = [model, secondModel].map((one) => one.columns.find(({ name }) => name === layer));
  if (!own || !other) return put(place);
  const about = { run: second, pixels: input.pixels };
  const [theirs, seen] = await Promise.all([post("predict", about), trace({ ...about, edits: [], pages: { [other.id]: pages[own.id] ?? 0 }, by_activity: false })]);
  if (state.columns !== columns || state.second !== second) return undefined;
  const told = ([words, share]) => [h("b", {}, words), share !== null && h("span", { class: "soft" }, ` ${percent(share)}`)];
  const row = (name, network, answers, maps, which) => h("tr", {},
    h("th", { scope: "row" }, name), h("td", {}, told(said(answers, network))),
    h("td", {}, tiles(maps, which, own, name)));
  const which = columns[own.id].channels.slice(0, own.vector ? undefined : MAPS);
  return put(place, h("section", {}, h("h3", {}, `The same picture in both: ${own.name}`),
    h("table", { class: "differs-table" }, h("tbody", {}, row(run, model, answer, columns[own.id], which), row(second, secondModel, theirs, seen[other.id], which)))));
}

function sized({ grid: { height, width, channels } }) {
  return [height, width, channels].join();
}

/** Maps as pictures; the units of a vector as one strip. */
function tiles({ channels, levels, height, width }, which, { vector }, name) {
  const size = height * width;
  const level = (channel) => levels.subarray(channels.indexOf(channel) * size, (channels.indexOf(channel) + 1) * size);
  const known = which.filter((channel) => channels.includes(channel));
  const canvases = vector
    ? [painted(Int8Array.from(known, (channel) => level(channel)[0]), known.length, 1)]
    : known.map((channel) => Object.assign(painted(level(channel), width, height), { title: `map ${channel}` }));
  return h("div", { class: vector ? "maps vector" : "maps", role: "img", "aria-label": `${known.length} ${vector ? "units" : "maps"} of ${name}` }, canvases);
}

/** The chosen unit in both networks, if the second one has it too. */
async function sameUnit(place) {
  const { unit, unitFound, second, secondModel, input } = state;
  if (!unit || !unitFound || !second || !secondModel) return put(place);
  if (!secondModel.columns.some(({ name }) => name === unit.layer)) return put(place, h("p", { class: "soft" }, `${second} has no layer ${unit.layer}.`));
  const { layer, channel, row, col: column } = unit;
  const other = await post("unit", { run: second, pixels: input.pixels, layer, channel, row, column });
  put(place, h("section", {}, h("h3", {}, `${layer}, map ${channel}, row ${row}, column ${column}`),
    h("table", { class: "differs-table" }, h("tbody", {}, [[state.run, unitFound], [second, other]].map(([run, found]) => h("tr", {},
      h("th", { scope: "row" }, run), h("td", { class: "number" }, h("b", {}, value(found.total))),
      h("td", { class: "formula" }, found.stages.map((stage) => `${stage.title} ${value(stage.value)}`).join(" → "))))))));
  return undefined;
}
