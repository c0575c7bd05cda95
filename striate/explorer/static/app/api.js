// What the page asks of the server, and the messages that come back where it cannot answer.

import { decode, encode } from "./bytes.js";
import { complain } from "./messages.js";

/** A question that the server refused: `error` has the rows of the message. */
class Refused extends Error {
  constructor(error) {
    super(`${error.where}: ${error.what}`);
    this.error = error;
  }
}

async function answered(path, options) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  throw new Refused(said?.error ?? { where: "the server", what: `answered ${answer.status}`, rows: {} });
}

/** GET as JSON; `words` become the query. */
export async function get(path, words = {}) {
  const query = new URLSearchParams(Object.entries(words).filter(([, value]) => value !== undefined));
  return (await answered(`/api/${path}?${query}`)).json();
}

function posted(path, body) {
  return answered(`/api/${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
}

const texts = new WeakMap(); // of the pixels that are asked about: by several questions each

function written(pixels) {
  if (!texts.has(pixels)) texts.set(pixels, encode(pixels));
  return texts.get(pixels);
}

/** POST as JSON, about a picture where `pixels` are given. */
export async function post(path, { pixels, ...body }) {
  return (await posted(path, pixels ? { ...body, pixels: written(pixels) } : body)).json();
}

/** The maps of all columns: each has `levels`, a byte for each value. */
export async function trace({ pixels, ...body }) {
  const buffer = await (await posted("trace", { ...body, pixels: written(pixels) })).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  for (const column of head.columns) {
    const size = column.channels.length * column.height * column.width;
    column.levels = new Int8Array(buffer, 4 + length + column.offset, size);
  }
  return head.columns;
}

/** Send a file; get the steps that bring it to the model's grid. */
export async function upload(run, file, flags) {
  const form = new FormData();
  form.append("file", file, "image");
  form.append("run", run);
  for (const [name, value] of Object.entries(flags)) form.append(name, value);
  const { steps } = await (await answered("/api/upload", { method: "POST", body: form })).json();
  return steps.map(picture);
}

/** A picture of the server with its pixels as bytes. */
export function picture(sent) {
  return { ...sent, pixels: decode(sent.pixels) };
}

/** Do something; where the server refuses, show its message and go on. */
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    complain(error instanceof Refused ? error.error : { where: "the page", what: error.message, rows: {} });
    if (!(error instanceof Refused) && !(error instanceof TypeError && /fetch/i.test(error.message))) console.error(error);
    return undefined;
  }
}
