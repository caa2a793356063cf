import { END_OF_STRING, HUFFMAN_BIT_COUNTS, HUFFMAN_CODES } from './huffman-code.ts';

/** What `decodeHuffman` returns of bytes that are no string. */
export const NO_HUFFMAN = -1;

/** Codes have five bits and more, so four of them end one symbol at most. */
const STEP_BITS = 4;
const STEPS = 1 << STEP_BITS;
const EMITS = 0x10000;
/** Longer padding hides something, or is the end of a string (RFC 7541 §5.2). */
const MOST_PADDING_BITS = 7;

/**
 * The code as a machine: at `state * 16 + four bits` the next state in the low byte, with `EMITS` the byte that is whole in the one above;
 * -1 where the end of a string would be. A state is an inner node of the code's tree; 257 leaves have 256 of them, so a byte holds it.
 */
const MACHINE = new Int32Array(256 * STEPS);
/** 1 for states in which a string may end: what is left is the beginning of the end of a string, and short enough. */
const MAY_END = new Uint8Array(256);

/** Writes the string in `bytes` from `start` up to `end` to `room`, which holds eight fifths of it; returns its length, or `NO_HUFFMAN`. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, room: Uint8Array): number {
  let state = 0;
  let length = 0;
  for (let position = start; position < end; position++) {
    const byte = bytes[position] ?? 0;
    const high = MACHINE[state * STEPS + (byte >> STEP_BITS)] ?? NO_HUFFMAN;
    if (high < 0) return NO_HUFFMAN;
    if (high >= EMITS) room[length++] = high >> 8;
    const low = MACHINE[(high & 0xff) * STEPS + (byte & (STEPS - 1))] ?? NO_HUFFMAN;
    if (low < 0) return NO_HUFFMAN;
    if (low >= EMITS) room[length++] = low >> 8;
    state = low & 0xff;
  }
  return MAY_END[state] === 1 ? length : NO_HUFFMAN;
}

/** Positive: the number of an inner node; negative: -1 less the symbol of a leaf. */
type Branch = number;

build();

function build(): void {
  const nodes = tree();
  for (let state = 0; state < nodes.length; state++)
    for (let bits = 0; bits < STEPS; bits++) MACHINE[state * STEPS + bits] = step(nodes, state, bits);
  let padding = 0;
  for (let bits = 0; bits <= MOST_PADDING_BITS; bits++) {
    MAY_END[padding] = 1;
    padding = nodes[padding]?.[1] ?? 0;
  }
}

function tree(): Branch[][] {
  const nodes: Branch[][] = [[0, 0]];
  for (let symbol = 0; symbol <= END_OF_STRING; symbol++) {
    let node = nodes[0];
    for (let bit = (HUFFMAN_BIT_COUNTS[symbol] ?? 0) - 1; bit >= 0 && node !== undefined; bit--) {
      const side = ((HUFFMAN_CODES[symbol] ?? 0) >>> bit) & 1;
      if (bit === 0) node[side] = -1 - symbol;
      else {
        // The root is no branch of any node, so zero is a branch that is not there yet.
        if (node[side] === 0) node[side] = nodes.push([0, 0]) - 1;
        node = nodes[node[side] ?? 0];
      }
    }
  }
  return nodes;
}

function step(nodes: readonly (readonly Branch[])[], from: number, bits: number): number {
  let node = from;
  let emitted = 0;
  for (let bit = STEP_BITS - 1; bit >= 0; bit--) {
    const branch = nodes[node]?.[(bits >> bit) & 1] ?? 0;
    if (branch >= 0) node = branch;
    else {
      const symbol = -1 - branch;
      if (symbol === END_OF_STRING) return NO_HUFFMAN;
      emitted = EMITS | (symbol << 8);
      node = 0;
    }
  }
  return emitted | node;
}
