// The twelve lessons: what each says about the user's own network, and what it shows on this page.

import { count } from "../numbers.js";
import { set, state } from "../state.js";

/** The lessons: a title, a text made of the model, and what to show. */
export const LESSONS = [
  ["Everything, or a neighbourhood", (m) => `A unit of ${say(dense(m), "a dense layer")} reads all values of what comes before; a unit of ${say(convolution(m), "a convolution")} only a window. The rose frame on the input is what it sees.`,
    (m) => middle(convolution(m) ?? dense(m))],
  ["One kernel for all places", (m) => with_(convolution(m), (c) => `Each map of ${c.name} has one kernel, ${c.detail.split(",")[0]} wide. Go to the next place: the patch changes, the kernel does not. That is why ${c.name} needs only ${count(c.parameters)} parameters.`),
    (m) => middle(convolution(m))],
  ["Sliding", (m) => with_(convolution(m), (c) => `Press Slide: the window walks over the input, and each place gives one value of a map of ${c.height} × ${c.width}.`),
    (m) => corner(convolution(m))],
  ["Stride, padding, and the size", (m) => with_(convolution(m), (c) => `The size of a map is (input + padding − window) // stride + 1. Here: ${c.arithmetic[0] ?? "the size stays as it is"}. Cells of padding are hatched.`),
    (m) => corner(m.columns.find((c) => c.kind === "convolution" && /pad/.test(c.detail)) ?? convolution(m))],
  ["Pooling", (m) => with_(pool(m), (c) => `${c.name} looks at ${c.detail || "the whole map"} of one map at a time and keeps the largest value, or the mean. It has no weights; small shifts of the input often change nothing.`),
    (m) => middle(pool(m))],
  ["Channels", (m) => with_(deep(m), (c) => `A deeper kernel has a layer for each map that it reads: ${c.name} adds the sums of all of them. The strongest are shown first; the strips are its kernels.`),
    (m) => middle(deep(m))],
  ["Counting parameters", (m) => with_(convolution(m), (c) => `${c.name}: ${c.arithmetic.at(-1) ?? count(c.parameters)}. All layers together have ${count(m.parameters)}. Point at the head of a column to see its arithmetic.`),
    (m) => show("kernels", middle(convolution(m)))],
  ["From maps to a row", (m) => with_(flat(m), (c) => `${c.name} turns maps into ${count(c.channels)} numbers for the dense layer: its place in the row says which map, row and column it was, or it is the mean of a whole map.`),
    (m) => middle(flat(m))],
  ["Softmax", (m) => `The last layer gives a score to each class; softmax makes them probabilities: e to the score, divided by the sum of all of them. Raising one lowers the others.`,
    (m) => middle(m.columns[m.outputs[0]])],
  ["Training", () => "Weights begin at random, and each step moves them a little downhill. Move the slider of Epochs to see kernels, maps and this answer form.",
    (m) => show(m.epochs.length ? "epochs" : "curves", null)],
  ["Over-fitting", () => "Where the curve of training falls on while that of validation rises, the network learns the pictures by heart. The best epoch is the one before.",
    () => show("curves", null)],
  ["Reading mistakes", () => "Choose a coloured cell: its pictures are those that were taken for something else. Click one: it goes into the network above, and Grad-CAM shows what misled it.",
    () => show("mistakes", null)],
];

const convolution = (m) => m.columns.find((c) => c.kind === "convolution");
const deep = (m) => m.columns.filter((c) => c.kind === "convolution")[1] ?? convolution(m);
const dense = (m) => m.columns.find((c) => c.kind === "dense");
const pool = (m) => m.columns.find((c) => c.kind === "pool" && !c.vector) ?? m.columns.find((c) => c.kind === "pool");
const flat = (m) => m.columns.find((c) => c.vector);

function say(column, otherwise) {
  return column ? column.name : otherwise;
}

function with_(column, text) {
  return column ? text(column) : "This network has no such layer; the next lesson goes on.";
}

function middle(column) {
  return column && at(column, Math.floor((column.height ?? 1) / 2), Math.floor((column.width ?? 1) / 2));
}

function corner(column) {
  return column && at(column, 0, 0);
}

function at(column, row, col) {
  const maps = state.columns?.[column.id];
  const channel = column.vector && state.answer && maps?.full[0] === state.answer.probabilities.length ? state.answer.best : 0;
  return { layer: column.name, column: column.id, channel, row, col };
}

function show(tab, unit) {
  return { tab, unit };
}

/** Show what a lesson is about. */
export function taught(number) {
  const found = LESSONS[number][2](state.model);
  if (found?.tab) set({ unit: found.unit ?? state.unit, open: true });
  if (found?.tab) set({ tab: found.tab });
  else if (found) set({ unit: found, tab: "unit", open: true });
}
