// Data: how many pictures of each class, their mean, their sizes, and what is there twice.

import { get, picture, trying } from "../api.js";
import { h, head, put } from "../dom.js";
import { pictured } from "../colour.js";
import { noPictures } from "../messages.js";
import { count } from "../numbers.js";
import { state } from "../state.js";
import { whenOpen } from "./open.js";

/** The tab. */
export function dataTab() {
  const place = h("div");
  whenOpen("data", "model", () => trying(async () => {
    if (!state.model) return put(place);
    if (!state.model.pictures.train) return put(place, noPictures(state.run, "training"));
    put(place, h("p", { class: "soft" }, "looking through the data …"));
    const found = await get("data", { run: state.run });
    const labelled = Object.values(found.counts).flat().some(Boolean);
    put(place, facts(found), ...folder(found), h("div", { class: "data" }, labelled && balance(found), sizes(found), leftOut(found), labelled && means(found), ink(found)));
    return undefined;
  }));
  return place;
}

function facts({ dataset, folder: { folder: place }, sizes, dtype, duplicates }) {
  const parts = Object.entries(sizes).map(([name, [many, ...shape]]) => `${name}: ${count(many)} of ${shape.join(" × ")}`);
  const twice = Object.entries(duplicates).map(([name, many]) => (name === "parts" ? `${count(many)} in several parts` : `${count(many)} twice in ${name}`));
  return h("p", {}, h("b", {}, place?.split(/[\\/]/).filter(Boolean).at(-1) ?? dataset), h("span", { class: "soft" }, ` ${parts.join("; ")}; ${dtype}. Equal pictures: ${twice.join(", ")}.`));
}

/** What was found in the folder of images, if it was trained on one. */
function folder({ folder: { notes, resized, image_size: size } }) {
  if (!size) return [];
  const brought = `${count(resized)} ${resized === 1 ? "image was" : "images were"} brought to ${size.join(" × ")} by bilinear filtering.`;
  return [resized && h("p", { class: "soft" }, brought), ...notes.map((note) => h("p", { class: "warning" }, note))];
}

function sizes({ folder: { sizes: found, sizes_total: total } }) {
  if (!found?.length) return null;
  const [tall, wide] = [0, 1].map((axis) => Math.max(...found.map((one) => one[axis])));
  const all = found.reduce((sum, one) => sum + one[2], 0);
  const told = found.slice(0, 8).map(([height, width, many]) => `${height} × ${width}: ${count(many)}`);
  return h("section", {}, h("h3", {}, "Sizes of the files"),
    total > 1 && h("div", { class: "sizes", role: "img", "aria-label": `Height by width: ${told.join(", ")}` }, found.map(([height, width, many]) => {
      const side = 5 + 14 * Math.sqrt(many / all);
      return h("i", { title: `${height} × ${width}: ${count(many)}`, style: { left: `${(100 * width) / wide}%`, bottom: `${(100 * height) / tall}%`, width: `${side}px`, height: `${side}px` } });
    })),
    total > 1 && h("p", { class: "soft ends" }, h("span", {}, "0"), h("span", {}, `${count(wide)} wide, ${count(tall)} high`)),
    h("p", { class: "soft" }, `${told.join(", ")}${total > 8 ? `, ${count(total - 8)} sizes more` : ""}`));
}

function leftOut({ folder: { skipped, skipped_total: many, duplicates, duplicates_total: twice } }) {
  if (!skipped?.length && !duplicates?.length) return null;
  const rows = (list) => h("table", { class: "files" }, h("tbody", {}, list.map(([file, ...more]) => h("tr", {}, h("th", { scope: "row" }, file), h("td", {}, more.join(", "))))));
  return h("section", {},
    skipped.length > 0 && [h("h3", {}, `Files left out: ${count(many)}`), h("div", { class: "files-frame", tabindex: 0, role: "group", "aria-label": "files" }, rows(skipped))],
    duplicates.length > 0 && [h("h3", {}, `Equal files: ${count(twice)}`), h("div", { class: "files-frame", tabindex: 0, role: "group", "aria-label": "files" }, rows(duplicates))]);
}

function balance({ classes, counts }) {
  const parts = Object.keys(counts), most = Math.max(...Object.values(counts).flat(), 1);
  return h("section", { tabindex: 0, "aria-label": "Pictures of each class" }, h("h3", {}, "Pictures of each class"), h("table", { class: "balance" },
    head(["", ...parts]),
    h("tbody", {}, classes.map((name, at) => h("tr", {}, h("th", { scope: "row" }, name), parts.map((part) => h("td", {},
      h("span", { class: "track" }, h("i", { style: { width: `${(100 * counts[part][at]) / most}%` } })), h("span", { class: "number" }, count(counts[part][at])))))))));
}

function means({ classes, means: sent }) {
  return h("section", {}, h("h3", {}, "Mean picture of each class"), h("div", { class: "pictures" }, sent.map((one, at) => one &&
    h("figure", {}, pictured(picture(one)), h("figcaption", {}, classes[at])))));
}

function ink({ ink: bins }) {
  const most = Math.max(...bins);
  return h("section", {}, h("h3", {}, "How light pictures are"), h("div", { class: "histogram", role: "img", "aria-label": "Histogram of the means of pictures, from black to white" },
    bins.map((many) => h("i", { style: { height: `${(110 * many) / most}px` }, title: count(many) }))), h("p", { class: "soft ends" }, h("span", {}, "black"), h("span", {}, "white")));
}
