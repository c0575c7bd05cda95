// Colours of values: orange below zero, blue above, the ground of the page at zero.
// Orange and blue are told apart by people of every kind of colour vision.

const BELOW = [194, 87, 12], ABOVE = [31, 111, 186];
const GROUNDS = { light: [255, 255, 255], dark: [16, 20, 27] };
const GREY = [128, 128, 128]; // of what is no number
const BRIGHT = { light: [BELOW, ABOVE], dark: [[255, 150, 80], [98, 176, 245]] };
/** The level of what is no number. */
export const LOST = -128;

const tables = {};
const dark = matchMedia("(prefers-color-scheme: dark)");

/** The theme in force. */
export function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ?? (dark.matches ? "dark" : "light");
}

/** 256 colours as 32-bit pixels: that of what is no number, then from the most negative value to the most positive. */
function table() {
  const name = theme();
  tables[name] ??= Uint32Array.from({ length: 256 }, (_, at) => {
    return pixel(...(at ? mixed((at - 128) / 127, name) : GREY));
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

/** Black or white, whichever is read more easily on that colour: one of them has a contrast of 4.5 or more. */
export function inkOn(value, peak) {
  const [r, g, b] = mixed(Math.max(-1, Math.min(1, value / (peak || 1))), theme()).map(light);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

/** The light of a part of a colour, as WCAG counts it. */
function light(part) {
  const share = part / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

/** A canvas that a screen reader passes over: what it shows is said beside it. */
function silent() {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

let bytes = new Uint8ClampedArray(0); // of the picture that is being made, used again by the next one

/** Write a picture of `width` x `height` 32-bit pixels by `fill(pixels)`, on a canvas of its own size. */
export function written(width, height, fill, into = null) {
  const canvas = into ?? silent(), size = 4 * width * height;
  if (bytes.length < size) bytes = new Uint8ClampedArray(size);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  fill(new Uint32Array(bytes.buffer, 0, width * height));
  canvas.getContext("2d").putImageData(new ImageData(bytes.subarray(0, size), width, height), 0, 0);
  return canvas;
}

/** A pixel of red, green and blue, as opaque as `alpha` says. */
export function pixel(r, g, b, alpha = 255) {
  return ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** The level of a value between -peak and peak. */
export function level(value, peak) {
  return value === null ? LOST : Math.round((127 * value) / (peak || 1));
}

/** A picture of levels (-127 to 127, or LOST), `factor` times as strong. */
export function painted(levels, width, height, factor = 1, into = null) {
  const colours = table();
  return written(width, height, (pixels) => {
    for (let at = 0; at < pixels.length; at += 1) {
      const found = levels[at] === LOST ? LOST : Math.max(-127, Math.min(127, Math.round(levels[at] * factor)));
      pixels[at] = colours[found - LOST];
    }
  }, into);
}

/** A picture of bytes, grey or colour. */
export function pictured({ pixels: from, width, height, channels }, into = null) {
  const [green, blue] = channels === 3 ? [1, 2] : [0, 0];
  return written(width, height, (pixels) => {
    for (let at = 0, byte = 0; at < pixels.length; at += 1, byte += channels) {
      pixels[at] = pixel(from[byte], from[byte + green], from[byte + blue]);
    }
  }, into);
}
