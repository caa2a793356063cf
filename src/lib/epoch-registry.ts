/** Words of one row: a cache line, so that readers do not slow each other down. */
const ROW_WORDS = 16;
/** Word of a row that tells whether it is taken; word 0 is its epoch. The first row holds the current epoch and belongs to nobody. */
const STATE = 1;
const ACTIVE = 1;

/**
 * Tells the one writer of shared tables when no reader can see any more what it has taken out of them.
 *
 * Every reader has a row with the last epoch it has passed. The writer stamps what it takes out with the current epoch and goes
 * on to the next; when all rows are beyond the stamp, the memory may be used again. No locks: a reader that dies leaves only
 * its row, and the writer clears that.
 */
export class EpochRegistry {
  /** To be posted to readers. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #rows: number;

  constructor(maxReaders: number) {
    this.#rows = maxReaders;
    this.buffer = new SharedArrayBuffer((maxReaders + 1) * ROW_WORDS * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(this.buffer);
  }

  /** Takes a row, counted from 0, for a reader that is about to start. @throws RangeError when all rows are taken */
  register(): number {
    for (let row = 0; row < this.#rows; row++) {
      const at = positionOf(row);
      if (Atomics.load(this.#words, at + STATE) === ACTIVE) continue;
      Atomics.store(this.#words, at, Atomics.load(this.#words, 0));
      Atomics.store(this.#words, at + STATE, ACTIVE);
      return row;
    }
    throw new RangeError(`all ${this.#rows} reader rows are taken`);
  }

  /** Gives a row back, once its reader's thread has ended. */
  release(row: number): void {
    Atomics.store(this.#words, positionOf(row) + STATE, 0);
  }

  /** The stamp for what was just taken out. */
  stamp(): number {
    return Atomics.add(this.#words, 0, 1);
  }

  /** The epoch that every reader has passed: what carries an earlier stamp is seen by nobody. */
  oldest(): number {
    const now = Atomics.load(this.#words, 0);
    let longestLag = 0;
    for (let row = 0; row < this.#rows; row++) {
      const at = positionOf(row);
      if (Atomics.load(this.#words, at + STATE) !== ACTIVE) continue;
      longestLag = Math.max(longestLag, (now - Atomics.load(this.#words, at)) | 0);
    }
    return (now - longestLag) | 0;
  }
}

function positionOf(row: number): number {
  return (row + 1) * ROW_WORDS;
}

/** Whether `stamp` lies before `epoch`. Epochs wrap at 32 bits, so the difference decides. */
export function isBefore(stamp: number, epoch: number): boolean {
  return ((epoch - stamp) | 0) > 0;
}

/** A reader's side of the registry. */
export class EpochRow {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #position: number;

  constructor(buffer: SharedArrayBuffer, row: number) {
    this.#words = new Int32Array(buffer);
    this.#position = positionOf(row);
  }

  /** Says that nothing read before this call is looked at any more. */
  pass(): void {
    Atomics.store(this.#words, this.#position, Atomics.load(this.#words, 0));
  }
}
