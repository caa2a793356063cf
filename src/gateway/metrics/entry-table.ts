import { FIRST_CELL, INDEX_WORDS, type MetricsHandles, slotsOf } from './metrics-handles.ts';

/** What is found in the table: a metric, or one series of it. */
export type EntryKind = 'metrics' | 'series';

/** What an entry that is not there yet is to get. */
export interface EntryCells {
  readonly count: number;
  /** Which of the cells holds the number of a gauge, that goes when its worker does. */
  readonly gauge?: number | undefined;
}

const EMPTY = 0;
/** Words before an entry's text: its hash, the first of its cells, the cell of a gauge (0 for none), the length of its text in bytes. */
const HASH = 0;
const CELL = 1;
const GAUGE = 2;
const LENGTH = 3;
const TEXT = 4;
const WORD_BYTES = 4;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Texts and the numbers that belong to them, in memory that all threads share: whoever comes first with a text gives it its cells, and
 * all others find the same. Nothing is ever taken out.
 *
 * There are no locks. An entry is written aside and published by one compare-and-exchange of a slot; a thread that dies before that
 * has wasted a few bytes.
 */
export class EntryTable {
  readonly slots: number;
  readonly #limits: Readonly<Record<EntryKind, number>>;
  readonly #cellsEnd: number;
  readonly #index: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;

  constructor({ limits, index, texts }: MetricsHandles) {
    this.slots = slotsOf(limits);
    this.#limits = limits;
    this.#cellsEnd = limits.cells;
    this.#index = new Int32Array(index);
    this.#words = new Int32Array(texts);
    this.#bytes = Buffer.from(texts);
  }

  /** How many there are of a kind. */
  count(kind: EntryKind): number {
    return Atomics.load(this.#index, INDEX_WORDS[kind]);
  }

  /** The entry of this text, added with so many cells where there is none; 0 when there is no room for it. */
  findOrAdd(kind: EntryKind, text: string, cells: EntryCells): number {
    const bytes = Buffer.from(text, 'utf8');
    const hash = hashOf(bytes);
    let slot = (hash >>> 0) % this.slots;
    let added = EMPTY;
    for (;;) {
      const found = Atomics.load(this.#index, INDEX_WORDS.firstSlot + slot);
      if (found === EMPTY) {
        if (added === EMPTY) added = this.#write(kind, bytes, hash, cells);
        if (added === EMPTY) return EMPTY;
        if (Atomics.compareExchange(this.#index, INDEX_WORDS.firstSlot + slot, EMPTY, added) === EMPTY) return added;
        // Another thread was quicker here: its entry is looked at next.
        continue;
      }
      if (this.#isOf(found, bytes, hash)) {
        if (added !== EMPTY) Atomics.sub(this.#index, INDEX_WORDS[kind], 1);
        return found;
      }
      slot = (slot + 1) % this.slots;
    }
  }

  /** The entry in a slot; 0 for none yet. */
  entryAt(slot: number): number {
    return Atomics.load(this.#index, INDEX_WORDS.firstSlot + slot);
  }

  /** All texts that begin with this ASCII character. */
  *texts(mark: string): Generator<string> {
    const first = mark.charCodeAt(0);
    for (let slot = 0; slot < this.slots; slot++) {
      const entry = this.entryAt(slot);
      if (entry !== EMPTY && this.#bytes[(entry + TEXT) * WORD_BYTES] === first) yield this.textOf(entry);
    }
  }

  textOf(entry: number): string {
    const start = (entry + TEXT) * WORD_BYTES;
    return this.#bytes.toString('utf8', start, start + (this.#words[entry + LENGTH] ?? 0));
  }

  /** The first of the entry's cells, in every row. */
  cellOf(entry: number): number {
    return this.#words[entry + CELL] ?? 0;
  }

  /** Sets the gauges of a worker that is gone to 0. */
  clearGauges(row: Float64Array): void {
    for (let slot = 0; slot < this.slots; slot++) {
      const entry = this.entryAt(slot);
      const gauge = entry === EMPTY ? 0 : (this.#words[entry + GAUGE] ?? 0);
      if (gauge !== 0) row[gauge] = 0;
    }
  }

  #isOf(entry: number, bytes: Buffer, hash: number): boolean {
    if (this.#words[entry + HASH] !== hash || this.#words[entry + LENGTH] !== bytes.length) return false;
    const start = (entry + TEXT) * WORD_BYTES;
    return this.#bytes.compare(bytes, 0, bytes.length, start, start + bytes.length) === 0;
  }

  /** Slots are never all taken, because there are fewer entries than slots: this counts what is added. */
  #write(kind: EntryKind, bytes: Buffer, hash: number, { count, gauge }: EntryCells): number {
    const words = TEXT + Math.ceil(bytes.length / WORD_BYTES);
    if (this.#take(INDEX_WORDS[kind], 1, this.#limits[kind]) < 0) return EMPTY;
    const cell = this.#take(INDEX_WORDS.cells, count, this.#cellsEnd);
    // Entry 0 would be an empty slot.
    const entry = cell < 0 ? -1 : this.#take(INDEX_WORDS.textWords, words, this.#words.length - 1) + 1;
    if (entry <= 0) {
      Atomics.sub(this.#index, INDEX_WORDS[kind], 1);
      return EMPTY;
    }
    this.#words[entry + HASH] = hash;
    this.#words[entry + CELL] = FIRST_CELL + cell;
    this.#words[entry + GAUGE] = gauge === undefined ? 0 : FIRST_CELL + cell + gauge;
    this.#words[entry + LENGTH] = bytes.length;
    this.#bytes.set(bytes, (entry + TEXT) * WORD_BYTES);
    return entry;
  }

  /** Takes so many of something of which there are `limit`; gives the first of them, or -1. */
  #take(word: number, count: number, limit: number): number {
    // Looked at first, so that the word does not run on and on when there is no room.
    if (Atomics.load(this.#index, word) + count > limit) return -1;
    const first = Atomics.add(this.#index, word, count);
    if (first + count <= limit) return first;
    Atomics.sub(this.#index, word, count);
    return -1;
  }
}

/** FNV-1a. Whoever configures the gateway could make texts collide, and would slow down his own first requests. */
function hashOf(bytes: Buffer): number {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash | 0;
}
