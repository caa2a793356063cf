/**
 * How the words of 64 bits in the region of counters are read. Every word carries the generation of its slot in its highest 16 bits, so
 * that a compare-and-exchange by a worker that was late never touches what came after.
 *
 * The first word of a slot is its master: generation, phase (2 bits), whether the entry is protected (1 bit), payload (45 bits). In all
 * others 48 bits are left.
 */
export type EntryPhase = typeof FREE | typeof CLAIMED | typeof LIVE | typeof RETIRING;

/** Nothing is here. */
export const FREE = 0;
/** Somebody is putting an entry here, or died over it. */
export const CLAIMED = 1;
/** An entry is here. */
export const LIVE = 2;
/** An entry is here that somebody looks at to take it away. */
export const RETIRING = 3;

export const MAX_GENERATION = 0xffff;
/** More than any payload of a master word. */
export const MASTER_LIMIT = 2 ** 45;
/** More than any payload of another word. */
export const PAYLOAD_LIMIT = 2 ** 48;

const WORD = 2 ** 32;
const PHASE_SHIFT = 14;
const PROTECTED_BIT = 1 << 13;
const MASTER_HIGH_MASK = PROTECTED_BIT - 1;

/** Which half of a word, as 32 bits, is the higher one on this machine: it holds generation, phase and protection. */
export const HIGH_HALF = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;
export const LOW_HALF = 1 - HIGH_HALF;

// One word, seen as a whole and as halves: nothing is allocated to take a word apart, and one BigInt to put it together.
const whole = new BigInt64Array(1);
const halves = new Uint32Array(whole.buffer);

export function generationOf(word: bigint): number {
  whole[0] = word;
  return (halves[HIGH_HALF] ?? 0) >>> 16;
}

export function phaseOf(master: bigint): EntryPhase {
  whole[0] = master;
  return phaseIn(halves[HIGH_HALF] ?? 0);
}

/** The phase by the higher half of a master alone. */
export function phaseIn(high: number): EntryPhase {
  const phase = (high >>> PHASE_SHIFT) & 3;
  return phase === 0 ? FREE : phase === 1 ? CLAIMED : phase === 2 ? LIVE : RETIRING;
}

/** The generation by the higher half of a word alone. */
export function generationIn(high: number): number {
  return high >>> 16;
}

/** The protection by the higher half of a master alone. */
export function isProtectedIn(high: number): boolean {
  return (high & PROTECTED_BIT) !== 0;
}

/** Whether the entry of this generation is still there. */
export function isLive(master: bigint, generation: number): boolean {
  whole[0] = master;
  return (halves[HIGH_HALF] ?? 0) >>> PHASE_SHIFT === ((generation << 2) | LIVE);
}

/** Whether the entry may not make way for another. */
export function isProtected(master: bigint): boolean {
  whole[0] = master;
  return ((halves[HIGH_HALF] ?? 0) & PROTECTED_BIT) !== 0;
}

export function masterPayloadOf(master: bigint): number {
  whole[0] = master;
  return ((halves[HIGH_HALF] ?? 0) & MASTER_HIGH_MASK) * WORD + (halves[LOW_HALF] ?? 0);
}

/** `payload` is an integer below `MASTER_LIMIT`. */
export function masterWord(generation: number, phase: EntryPhase, shielded: boolean, payload: number): bigint {
  halves[HIGH_HALF] = (generation << 16) | (phase << PHASE_SHIFT) | (shielded ? PROTECTED_BIT : 0) | Math.floor(payload / WORD);
  halves[LOW_HALF] = payload;
  return whole[0] ?? 0n;
}

export function payloadOf(word: bigint): number {
  whole[0] = word;
  return ((halves[HIGH_HALF] ?? 0) & 0xffff) * WORD + (halves[LOW_HALF] ?? 0);
}

/** `payload` is an integer below `PAYLOAD_LIMIT`. */
export function entryWord(generation: number, payload: number): bigint {
  halves[HIGH_HALF] = (generation << 16) | Math.floor(payload / WORD);
  halves[LOW_HALF] = payload;
  return whole[0] ?? 0n;
}

/** Whether generation `one` comes before `other`, where they are less than half of all generations apart. */
export function isBefore(one: number, other: number): boolean {
  const distance = (other - one) & MAX_GENERATION;
  return distance !== 0 && distance < 0x8000;
}
