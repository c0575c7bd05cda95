// Charts by uPlot: curves over epochs, with what is under the pointer, and a zoom by dragging.

import { h } from "../dom.js";
import { value } from "../numbers.js";

const plots = new WeakMap(); // by their places: a plot listens to the window until it is let go
const zooms = new Map(); // title: what of it is shown, while it is drawn anew with each epoch

/** Show all of every chart again. */
export function unzoom() {
  zooms.clear();
}

/** Let go of the charts in a place, before others are put there. */
export function dropped(place) {
  for (const one of place.querySelectorAll(".chart")) plots.get(one)?.destroy();
}

/** A chart of curves: [{name, dashed, light, colour, points: [[x, y]]}]; `pins` are places, in epochs, where something alarming began. */
export function chart(title, curves, pins = [], width = 330, height = 190) {
  const style = getComputedStyle(document.documentElement);
  const ink = (name) => style.getPropertyValue(name).trim();
  const xs = [...new Set(curves.flatMap(({ points }) => points.map(([x]) => x)))].sort((a, b) => a - b);
  const series = curves.map(({ points }) => {
    const known = new Map(points);
    return xs.map((x) => known.get(x) ?? null);
  });
  const place = h("div", { class: "chart", role: "img", "aria-label": told(title, curves) }, h("h3", {}, title));
  const axis = (more) => ({
    stroke: ink("--soft"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false },
    font: "11px system-ui, sans-serif", ...more,
  });
  const plot = new uPlot({
    width: Math.min(width, document.documentElement.clientWidth - 40), height, cursor: { points: { size: 7 }, sync: { key: "curves" } }, legend: { live: true, markers: { width: 3 } },
    scales: { x: { time: false }, y: { range: (_, low, high) => room(low, high) } },
    hooks: {
      draw: [(drawn) => pinned(drawn, pins, ink("--orange"))],
      setSelect: [({ posToVal, select }) => select.width && zooms.set(title, { min: posToVal(select.left, "x"), max: posToVal(select.left + select.width, "x") })],
    },
    series: [{ label: "epoch", value: ({ cursor }, x) => shown(cursor, x, xs.at(-1), (one) => Number(one.toFixed(2))) }, ...curves.map(({ name, dashed, light, colour, points }) => ({
      label: name, stroke: light ? `color-mix(in srgb, ${ink(colour)} 45%, transparent)` : ink(colour), width: light ? 1 : 2, dash: dashed ? [6, 4] : undefined, spanGaps: true,
      points: { show: !light && points.length < 40, size: 5, fill: ink("--card") }, value: ({ cursor }, y) => shown(cursor, y, points.at(-1)?.[1], value),
    }))],
    axes: [axis({ size: 26, values: (_, ticks) => ticks.map((x) => (Number.isInteger(x) ? x : "")) }), axis({ size: 52, values: (_, ticks) => ticks.map((y) => short(y)) })],
  }, [xs, ...series], place);
  plots.set(place, plot);
  plot.over.addEventListener("dblclick", () => zooms.delete(title));
  if (zooms.has(title)) plot.setScale("x", zooms.get(title));
  return place;
}

/** A line at each place, in epochs, where something alarming began. */
function pinned({ ctx, bbox, valToPos }, pins, colour) {
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.setLineDash([3, 4]);
  for (const pin of pins) {
    const x = Math.round(valToPos(pin, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.font = `bold ${Math.round(13 * devicePixelRatio)}px system-ui, sans-serif`;
    ctx.fillText("!", x + 4 * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
  }
  ctx.restore();
}

/** A number of the legend: the one below the pointer, or the last. */
function shown({ idx }, under, last, written) {
  const number = under ?? (idx === null || idx === undefined ? last : null);
  return number === null || number === undefined ? "" : written(number);
}

function room(low, high) {
  if (low === null) return [0, 1];
  const space = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - space, high + space];
}

function short(y) {
  return Math.abs(y) >= 1e6 || (y && Math.abs(y) < 1e-3) ? y.toExponential(1).replace(".0", "") : y.toLocaleString("en-US", { maximumSignificantDigits: 5 });
}

function told(title, curves) {
  const ends = curves.filter(({ points }) => points.length).map(({ name, points }) => `${name} ${value(points.at(-1)[1])} at epoch ${points.at(-1)[0]}`);
  return `${title}: ${ends.join(", ")}`;
}

/** A curve of a few pixels for a table. */
export function sparkline(values) {
  const canvas = h("canvas", { width: 160, height: 40, class: "sparkline", role: "img", "aria-label": `from ${value(values[0])} to ${value(values.at(-1))}` });
  const context = canvas.getContext("2d");
  const low = Math.min(...values), span = Math.max(...values) - low || 1;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--blue");
  context.lineWidth = 3;
  context.beginPath();
  values.forEach((one, at) => context.lineTo(4 + (152 * at) / Math.max(values.length - 1, 1), 35 - (30 * (one - low)) / span));
  if (values.length === 1) context.arc(80, 20, 2, 0, 7);
  context.stroke();
  return canvas;
}

