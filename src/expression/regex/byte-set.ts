/**
 * A set of characters of byte strings, as bits: one for each byte, and bit 256 for every character above, which plain strings may
 * hold and which no pattern names.
 */
export type ByteSet = bigint;

/** The number that stands for all characters above 0xFF. */
export const ABOVE_BYTES = 256;
export const NO_CHARACTER: ByteSet = 0n;
export const ANY_CHARACTER: ByteSet = (1n << 257n) - 1n;

export function singleton(code: number): ByteSet {
  return 1n << BigInt(code);
}

/** All characters from `low` to `high`, both included. */
export function byteRange(low: number, high: number): ByteSet {
  return ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
}

/** The set of the bytes of a text. */
export function bytesIn(text: string): ByteSet {
  let set = NO_CHARACTER;
  for (const character of text) set |= singleton(character.charCodeAt(0));
  return set;
}

export function complement(set: ByteSet): ByteSet {
  return ANY_CHARACTER ^ set;
}

export function intersects(one: ByteSet, other: ByteSet): boolean {
  return (one & other) !== NO_CHARACTER;
}

const UPPER = byteRange(0x41, 0x5a);
const LOWER = byteRange(0x61, 0x7a);

/** The set with both cases of its ASCII letters: nginx's PCRE knows no others in byte strings. */
export function foldCase(set: ByteSet): ByteSet {
  return set | ((set & UPPER) << 32n) | ((set & LOWER) >> 32n);
}

/** The runs of characters in a set, both ends included, in order; 256 stands for all characters above 0xFF. */
export function runsOf(set: ByteSet): readonly (readonly [low: number, high: number])[] {
  const bits = set.toString(2);
  const runs: [number, number][] = [];
  for (let start = bits.lastIndexOf('1'); start !== -1; ) {
    const end = bits.lastIndexOf('0', start);
    runs.push([bits.length - 1 - start, bits.length - 2 - end]);
    start = end === -1 ? -1 : bits.lastIndexOf('1', end);
  }
  return runs;
}
