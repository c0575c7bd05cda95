// The receptive field of the chosen unit, outlined on the input and on every map between.

import { state } from "../state.js";

/** Draw what the unit sees of a column's maps; one pixel of the map is `scale` wide, from (x, y) on.
 * Its cells are tinted where that is asked, and where the frame has gaps: not all in it is seen. */
export function outline(context, column, scale, x, y, filled = false) {
  const seen = state.unitFound?.field?.[column];
  if (!seen) return;
  const [top, bottom] = seen.rows, [left, right] = seen.cols;
  context.save();
  context.translate(x, y);
  if ((filled || !seen.whole) && seen.cells) {
    context.fillStyle = "rgb(232 62 140 / 0.22)";
    for (const cell of seen.cells) {
      context.fillRect((cell % seen.width) * scale, Math.floor(cell / seen.width) * scale, scale, scale);
    }
  }
  framed(context, left * scale, top * scale, (right - left) * scale, (bottom - top) * scale, filled ? 4 : 2);
  context.restore();
}

/** Draw a frame that is seen on every ground: rose, with a white line around it. */
export function framed(context, x, y, width, height, line = 2) {
  context.lineWidth = line + 2;
  context.strokeStyle = "rgb(255 255 255 / 0.8)";
  context.strokeRect(x, y, width, height);
  context.lineWidth = line;
  context.strokeStyle = "#e83e8c";
  context.strokeRect(x, y, width, height);
}
