import { HUFFMAN_BIT_COUNTS, HUFFMAN_CODES } from './huffman-code.ts';

/** The bytes that `text`, one byte a character, has in Huffman code. */
export function huffmanByteCount(text: string): number {
  let bits = 0;
  for (let index = 0; index < text.length; index++) bits += HUFFMAN_BIT_COUNTS[text.charCodeAt(index) & 0xff] ?? 0;
  return (bits + 7) >> 3;
}

/** Writes `text`, one byte a character, in Huffman code to `room` at `position`, which has space for it; returns the position behind. */
export function writeHuffman(room: Uint8Array, position: number, text: string): number {
  let pending = 0;
  let pendingBits = 0;
  let end = position;
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index) & 0xff;
    let code = HUFFMAN_CODES[symbol] ?? 0;
    let bits = HUFFMAN_BIT_COUNTS[symbol] ?? 0;
    // Seven bits can be pending, and 32 are what an integer holds: the few long codes go in two parts.
    if (bits > 24) {
      bits -= 16;
      pending = (pending << bits) | (code >>> 16);
      pendingBits += bits;
      while (pendingBits >= 8) {
        pendingBits -= 8;
        room[end++] = pending >>> pendingBits;
      }
      code &= 0xffff;
      bits = 16;
    }
    pending = (pending << bits) | code;
    pendingBits += bits;
    while (pendingBits >= 8) {
      pendingBits -= 8;
      room[end++] = pending >>> pendingBits;
    }
  }
  // RFC 7541 §5.2: the rest is the beginning of the end of a string, which is ones.
  if (pendingBits > 0) room[end++] = (pending << (8 - pendingBits)) | (0xff >> pendingBits);
  return end;
}
