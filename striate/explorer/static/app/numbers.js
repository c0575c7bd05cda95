// How numbers are written on the page.

/** A value of a tensor: four significant digits. */
export function value(x) {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return x.toExponential(2).replace("-", "−");
  return x.toPrecision(4).replace(/\.?0+$/, "").replace("-", "−");
}

/** A value with a fixed number of decimals, for columns of numbers. */
export function fixed(x, digits = 3) {
  return Number.isFinite(x) ? x.toFixed(digits).replace("-", "−") : "–";
}

/** A whole number with separators. */
export function count(x) {
  return x === null || x === undefined ? "?" : x.toLocaleString("en-US");
}

/** So many things: 1 epoch, 2 epochs. */
export function many(x, thing) {
  return `${count(x)} ${thing}${x === 1 ? "" : "s"}`;
}

/** The name of a class; none of a picture without one. */
export function className(label, { classes }) {
  return label < 0 ? "" : String(classes[label] ?? label);
}

/** A share of one. */
export function percent(x, digits = 1) {
  return `${(100 * x).toFixed(digits)} %`;
}
