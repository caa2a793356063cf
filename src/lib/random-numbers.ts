import type { Random } from './random.ts';

const POOL_BYTES = 4096;
const WORD_BYTES = 4;
const WORDS = 2 ** 32;

/** Random bytes and numbers in small portions, taken from the source in large ones: asking it costs a microsecond. */
export class RandomNumbers {
  readonly #random: Random;
  #pool: Buffer = Buffer.alloc(0);
  #used = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Bytes that are given out once. */
  bytes(length: number): Buffer {
    if (length > POOL_BYTES) return this.#random.bytes(length);
    if (this.#used + length > this.#pool.length) {
      this.#pool = this.#random.bytes(POOL_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return this.#pool.subarray(start, this.#used);
  }

  /** A whole number from 0 to below `limit` (at most 2^32), each as likely as the others. */
  below(limit: number): number {
    const end = WORDS - (WORDS % limit);
    for (;;) {
      const word = this.bytes(WORD_BYTES).readUInt32LE();
      if (word < end) return word % limit;
    }
  }
}
