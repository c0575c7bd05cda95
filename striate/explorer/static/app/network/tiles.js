// Tiles: where the maps of a column stand on its canvas, and which unit lies at a place.

const GAP = 4;
const SIDES = [150, 112, 84, 64, 52, 46, 40, 36, 32, 28, 24, 20, 16];
const CELLS = [20, 16, 13, 10, 8, 6, 5];

/** Lay out `count` maps of `height` x `width` in a column of `tall` pixels. */
export function arranged({ count, height, width, vector, narrow }, tall, size) {
  const wide = (narrow ? 72 : count === 1 ? 112 : 150) * size;
  const sides = vector ? CELLS : SIDES;
  const gap = vector ? 2 : GAP;
  const across = height >= width ? width / height : 1, down = height > width ? 1 : height / width;
  let found = null;
  for (const side of sides) {
    const tileWidth = Math.max(side * across, 3), tileHeight = Math.max(side * down, 3);
    const rows = Math.max(1, Math.floor((tall + gap) / (tileHeight + gap)));
    const columns = Math.ceil(count / rows);
    found = { side, tileWidth, tileHeight, gap, columns, rows: Math.min(rows, Math.ceil(count / columns)) };
    if (columns * (tileWidth + gap) - gap <= wide) break;
  }
  const { tileWidth, tileHeight, columns, rows } = found;
  return {
    ...found, count, height, width,
    fullWidth: Math.ceil(columns * (tileWidth + gap) - gap),
    fullHeight: Math.ceil(rows * (tileHeight + gap) - gap),
  };
}

/** Upper left corner of a map: maps follow each other downwards. */
export function corner(layout, at) {
  const { tileWidth, tileHeight, gap, rows } = layout;
  return [Math.floor(at / rows) * (tileWidth + gap), (at % rows) * (tileHeight + gap)];
}

/** The map and its pixel at a place of the canvas, or null between the maps. */
export function found(layout, x, y) {
  const { tileWidth, tileHeight, gap, rows, count, height, width } = layout;
  const column = Math.floor(x / (tileWidth + gap)), row = Math.floor(y / (tileHeight + gap));
  const at = column * rows + row;
  const inX = x - column * (tileWidth + gap), inY = y - row * (tileHeight + gap);
  if (x < 0 || y < 0 || row >= rows || at >= count || inX >= tileWidth || inY >= tileHeight) return null;
  return { at, row: Math.floor((inY / tileHeight) * height), col: Math.floor((inX / tileWidth) * width) };
}
