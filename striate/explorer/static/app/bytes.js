// Pixels as bytes and as text.

const FORM = "deflate-raw";

/** Bytes of base64 text. */
export function decode(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Base64 text of bytes. */
export function encode(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/** Bytes, compressed, as text for an address. */
export async function packed(bytes) {
  const small = new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream(FORM)));
  return encode(new Uint8Array(await small.arrayBuffer())).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The bytes of such text, or null if it is not that of so many bytes. */
export async function unpacked(text, size) {
  try {
    const small = new Blob([decode(text.replaceAll("-", "+").replaceAll("_", "/"))]);
    const parts = small.stream().pipeThrough(new DecompressionStream(FORM)).getReader();
    const bytes = new Uint8Array(size);
    let at = 0;
    for (let part = await parts.read(); !part.done; part = await parts.read()) {
      bytes.set(part.value, at); // RangeError where there are too many
      at += part.value.length;
    }
    return at === size ? bytes : null;
  } catch { // it was cut, or is of something else
    return null;
  }
}
