import type { Random } from './random.ts';

/** Sizes of a cache. Powers of two, except `longestKey`. */
export interface FloodProofCacheOptions {
  readonly random: Random;
  /** Entries that have been asked for again. */
  readonly entries: number;
  /** Entries that were put once and never asked for. */
  readonly newcomers: number;
  /** Longer keys are not kept. */
  readonly longestKey: number;
}

/** Entries among which a key may lie. */
const WAYS = 8;
/** An entry found within this time gives its place to nobody. */
const HELD_MS = 10_000;

/**
 * Values by a key of bytes, in fixed memory, looked up without making a string.
 *
 * A key is a number and two ranges of bytes. One that is put begins as a newcomer, whose place any other newcomer may take; only
 * when it is asked for again it moves among the entries, and there it can be displaced only after ten seconds without being
 * found. So a flood of keys that nobody repeats costs the flood its misses, and those who repeat theirs nothing. Hashes are
 * seeded, but by no cryptographic means: keys that meet in one place can be found for one seed in 256. They gain nothing but misses of
 * other keys there, since keys are compared as a whole and a look-up visits nine places at most.
 */
export class FloodProofCache<Value> {
  readonly #seed: number;
  readonly #entries: Slots<Value>;
  readonly #newcomers: Slots<Value>;
  readonly #longestKey: number;

  constructor(options: FloodProofCacheOptions) {
    this.#seed = options.random.bytes(4).readInt32LE(0);
    this.#longestKey = options.longestKey;
    this.#entries = new Slots(options.entries, options.longestKey);
    this.#newcomers = new Slots(options.newcomers, options.longestKey);
  }

  /** The value of the key (`tag`, `bytes[start1, end1)`, `bytes[start2, end2)`). `nowMs` is monotonic. */
  find(tag: number, bytes: Uint8Array, start1: number, end1: number, start2: number, end2: number, nowMs: number): Value | undefined {
    if (end1 - start1 + end2 - start2 > this.#longestKey) return undefined;
    const hash = hashKey(this.#seed, tag, bytes, start1, end1, start2, end2);
    const entries = this.#entries;
    const first = hash & entries.mask & ~(WAYS - 1);
    for (let slot = first; slot < first + WAYS; slot++) {
      if (entries.hashes[slot] === hash && entries.holds(slot, tag, bytes, start1, end1, start2, end2)) {
        entries.foundAtMs[slot] = nowMs;
        return entries.values[slot];
      }
    }
    const newcomers = this.#newcomers;
    const newcomer = hash & newcomers.mask;
    if (newcomers.hashes[newcomer] !== hash || !newcomers.holds(newcomer, tag, bytes, start1, end1, start2, end2)) return undefined;
    const value = newcomers.values[newcomer];
    if (value !== undefined) this.#promote(first, hash, tag, bytes, start1, end1, start2, end2, value, nowMs);
    return value;
  }

  /** Keeps a value that `find` did not have. */
  put(tag: number, bytes: Uint8Array, start1: number, end1: number, start2: number, end2: number, value: Value): void {
    if (end1 - start1 + end2 - start2 > this.#longestKey) return;
    const hash = hashKey(this.#seed, tag, bytes, start1, end1, start2, end2);
    this.#newcomers.set(hash & this.#newcomers.mask, hash, tag, bytes, start1, end1, start2, end2, value);
  }

  clear(): void {
    this.#entries.clear();
    this.#newcomers.clear();
  }

  #promote(
    first: number,
    hash: number,
    tag: number,
    bytes: Uint8Array,
    start1: number,
    end1: number,
    start2: number,
    end2: number,
    value: Value,
    nowMs: number,
  ): void {
    const entries = this.#entries;
    let oldest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      if (entries.values[slot] === undefined) {
        oldest = slot;
        break;
      }
      if ((entries.foundAtMs[slot] ?? 0) < (entries.foundAtMs[oldest] ?? 0)) oldest = slot;
    }
    if (entries.values[oldest] !== undefined && nowMs - (entries.foundAtMs[oldest] ?? 0) < HELD_MS) return;
    entries.set(oldest, hash, tag, bytes, start1, end1, start2, end2, value);
    entries.foundAtMs[oldest] = nowMs;
  }
}

/** Places for keys and values. */
class Slots<Value> {
  readonly mask: number;
  readonly hashes: Int32Array;
  readonly foundAtMs: Float64Array;
  readonly values: (Value | undefined)[];
  readonly #tags: Int32Array;
  readonly #lengths: Int32Array;
  readonly #keys: Uint8Array;
  readonly #longestKey: number;

  constructor(count: number, longestKey: number) {
    this.mask = count - 1;
    this.hashes = new Int32Array(count);
    this.foundAtMs = new Float64Array(count);
    this.values = new Array<Value | undefined>(count).fill(undefined);
    this.#tags = new Int32Array(count);
    this.#lengths = new Int32Array(count * 2);
    this.#keys = new Uint8Array(count * longestKey);
    this.#longestKey = longestKey;
  }

  holds(slot: number, tag: number, bytes: Uint8Array, start1: number, end1: number, start2: number, end2: number): boolean {
    const length1 = end1 - start1;
    const length2 = end2 - start2;
    if (this.values[slot] === undefined || this.#tags[slot] !== tag) return false;
    if (this.#lengths[slot * 2] !== length1 || this.#lengths[slot * 2 + 1] !== length2) return false;
    const keys = this.#keys;
    const at = slot * this.#longestKey;
    for (let index = 0; index < length1; index++) if (keys[at + index] !== bytes[start1 + index]) return false;
    for (let index = 0; index < length2; index++) if (keys[at + length1 + index] !== bytes[start2 + index]) return false;
    return true;
  }

  set(
    slot: number,
    hash: number,
    tag: number,
    bytes: Uint8Array,
    start1: number,
    end1: number,
    start2: number,
    end2: number,
    value: Value,
  ): void {
    this.hashes[slot] = hash;
    this.values[slot] = value;
    this.#tags[slot] = tag;
    this.#lengths[slot * 2] = end1 - start1;
    this.#lengths[slot * 2 + 1] = end2 - start2;
    const at = slot * this.#longestKey;
    this.#keys.set(bytes.subarray(start1, end1), at);
    this.#keys.set(bytes.subarray(start2, end2), at + end1 - start1);
  }

  clear(): void {
    this.values.fill(undefined);
  }
}

/** FNV-1a over both ranges, begun with seed and tag, then mixed so that every bit of the result depends on all bytes. */
function hashKey(seed: number, tag: number, bytes: Uint8Array, start1: number, end1: number, start2: number, end2: number): number {
  let hash = seed ^ Math.imul(tag, 0x9e3779b1);
  for (let index = start1; index < end1; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ 0x100, 0x01000193);
  for (let index = start2; index < end2; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
