// Colours of values: orange below zero, blue above, the ground of the page at zero.
// Orange and blue are told apart by people of every kind of colour vision.

const BELOW = [194, 87, 12], ABOVE = [31, 111, 186];
const GROUNDS = { light: [255, 255, 255], dark: [16, 20, 27] };
const BRIGHT = { light: [BELOW, ABOVE], dark: [[255, 150, 80], [98, 176, 245]] };
const tables = {};
const dark = matchMedia("(prefers-color-scheme: dark)");

/** The theme in force. */
export function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (dark.matches ? "dark" : "light");
}

/** 255 colours, from the most negative value to the most positive, as 32-bit pixels. */
export function table() {
  const name = theme();
  tables[name] ??= Uint32Array.from({ length: 255 }, (_, at) => {
    const [r, g, b] = mixed((at - 127) / 127, name);
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
  return tables[name];
}

/** The strongest colours, below and above zero: red, green and blue of each. */
export function ends() {
  return BRIGHT[theme()];
}

function mixed(share, name) {
  const [below, above] = BRIGHT[name];
  const strength = Math.abs(share) ** 0.8;
  const end = share < 0 ? below : above;
  return GROUNDS[name].map((ground, at) => Math.round(ground + (end[at] - ground) * strength));
}

/** The colour of a value between -peak and peak, for a style. */
export function colour(value, peak) {
  const share = Math.max(-1, Math.min(1, value / (peak || 1)));
  return `rgb(${mixed(share, theme()).join(" ")})`;
}

/** Black or white, whichever is read more easily on that colour. */
export function inkOn(value, peak) {
  const [r, g, b] = mixed(Math.max(-1, Math.min(1, value / (peak || 1))), theme());
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
}

/** A canvas that a screen reader passes over: what it shows is said beside it. */
function silent() {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

/** A picture of levels (-127 to 127), `factor` times as strong, as a canvas of its own size. */
export function painted(levels, width, height, factor = 1, into = null) {
  const canvas = into ?? silent();
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer), colours = table();
  for (let at = 0; at < levels.length; at += 1) {
    pixels[at] = colours[Math.max(-127, Math.min(127, Math.round(levels[at] * factor))) + 127];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A picture of bytes, grey or colour, as a canvas of its own size. */
export function pictured({ pixels, width, height, channels }, into = null) {
  const canvas = into ?? silent();
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let at = 0; at < width * height; at += 1) {
    for (let part = 0; part < 3; part += 1) {
      image.data[4 * at + part] = pixels[at * channels + (channels === 3 ? part : 0)];
    }
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
