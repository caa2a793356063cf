import { type EpochRegistry, isBefore } from './epoch-registry.ts';

const ENTRY_WORDS = 3;
const FIRST_CAPACITY = 64;

/**
 * Holds what was taken out of a shared table until every reader has passed an epoch since.
 * A ring of numbers (two per entry and its stamp): a million entries cost 12 MB for as long as they wait.
 */
export class Quarantine {
  readonly #epochs: EpochRegistry;
  readonly #release: (value: number, extra: number) => void;
  #ring = new Int32Array(FIRST_CAPACITY * ENTRY_WORDS);
  #first = 0;
  #size = 0;

  /** `release` gets each entry back once nobody can see it any more. */
  constructor(epochs: EpochRegistry, release: (value: number, extra: number) => void) {
    this.#epochs = epochs;
    this.#release = release;
  }

  get size(): number {
    return this.#size;
  }

  add(value: number, extra: number): void {
    if (this.#size === this.#capacity) this.#double();
    const at = ((this.#first + this.#size) % this.#capacity) * ENTRY_WORDS;
    this.#ring[at] = value;
    this.#ring[at + 1] = extra;
    this.#ring[at + 2] = this.#epochs.stamp();
    this.#size += 1;
  }

  /** Releases at most `limit` entries, so that the caller's thread is not held up. */
  reclaim(limit: number): void {
    if (this.#size === 0) return;
    const epoch = this.#epochs.oldest();
    for (let count = 0; count < limit && this.#size > 0; count++) {
      const at = this.#first * ENTRY_WORDS;
      if (!isBefore(this.#ring[at + 2] ?? 0, epoch)) return;
      this.#first = (this.#first + 1) % this.#capacity;
      this.#size -= 1;
      this.#release(this.#ring[at] ?? 0, this.#ring[at + 1] ?? 0);
    }
  }

  get #capacity(): number {
    return this.#ring.length / ENTRY_WORDS;
  }

  #double(): void {
    const larger = new Int32Array(this.#ring.length * 2);
    const split = this.#first * ENTRY_WORDS;
    larger.set(this.#ring.subarray(split), 0);
    larger.set(this.#ring.subarray(0, split), this.#ring.length - split);
    this.#ring = larger;
    this.#first = 0;
  }
}
