// The unit: how the chosen one gets its value, step by step, and what it sees.

import { post, trying } from "../api.js";
import { measured } from "../live.js";
import { choice, h, put, tell } from "../dom.js";
import { on, set, state } from "../state.js";
import { count, value } from "../numbers.js";
import { stages } from "./stages.js";
import { code } from "./code.js";
import { player } from "./play.js";
import { likes } from "./likes.js";

const HINT = "Click a pixel of a map, or a unit of a dense layer: here is how it gets its value, and the maps show what it sees.";
let form = "numbers";

/** The tab. */
export function unitTab() {
  const head = h("div", { class: "unit-head" }), body = h("div", { class: "unit-body" });
  const forms = choice("How the arithmetic is written",
    [["numbers", "Numbers"], ["formula", "Formula"], ["python", "Python"]], form, (name) => { form = name; show(); });
  const tools = h("div", { class: "buttons" }, forms, player());
  const place = h("div", { class: "unit" }, h("div", { class: "unit-side" }, head, tools, likes()), body);

  function show() {
    const { unit, unitFound } = state;
    tools.hidden = !unit;
    if (!unit) return put(head, h("p", { class: "soft hint" }, HINT)), put(body);
    if (!unitFound) return undefined;
    put(head, title(unit, unitFound), tick(unitFound), seen(unitFound));
    put(body, form === "numbers" ? stages(unitFound) : code(unitFound, form));
    return undefined;
  }

  on("unitFound themed", show); // what is shown stays until the answer about another unit is there
  on("unit", ({ unit }) => { if (!unit) show(); });
  show();
  return place;
}

function title({ layer, channel, row, col }, { shape }) {
  const where = shape.length > 1 ? `map ${channel}, row ${row}, column ${col}` : `unit ${channel}`;
  return h("h3", {}, layer, h("span", { class: "soft" }, ` ${where}`));
}

/** The value, and whether the steps come to it. */
function tick({ value: real, total, agrees }) {
  return h("p", { class: "total" }, h("b", { id: "unit-total", "data-total": total, "data-value": real }, value(total)),
    real === null ? h("span", { class: "differs" }, "no number, in the network neither") : h("span", { class: agrees ? "agrees" : "differs", title: `${total} by these steps, ${real} in the network` },
      agrees ? "✓ the network agrees" : `the network has ${value(real)}`));
}

function seen({ field }) {
  const on_ = field[0];
  if (!on_) return h("p", { class: "soft" }, "What it sees is not stated.");
  const [height, width] = [on_.rows[1] - on_.rows[0], on_.cols[1] - on_.cols[0]];
  const layer = state.model.columns[state.unit.column];
  const full = layer.field && /^\d/.test(layer.field) && layer.field !== String(height) ? ` (${layer.field} without borders)` : "";
  return h("p", { class: "soft" }, `sees ${height} × ${width} of ${on_.height} × ${on_.width}${full}, ${count(on_.count)} values`,
    on_.whole ? "" : ", with gaps");
}

// ---- what is chosen is asked for; of several questions only the last answer counts

let asked = 0;

on("unit input model epoch", ({ unit, input, run }) => {
  const mine = asked += 1, start = performance.now();
  if (!unit || !input) return set({ unitFound: null });
  return trying(async () => {
    const { layer, channel, row, col: column } = unit;
    const found = await post("unit", { run, epoch: state.epoch, pixels: input.pixels, layer, channel, row, column });
    if (mine !== asked) return;
    set({ unitFound: found });
    measured("unit", start);
    tell(`${layer}: ${value(found.total)}${found.agrees ? "" : ", unlike the network"}`);
  });
});
