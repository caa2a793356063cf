import {
  DIGEST_WORD,
  DIGEST_WORDS,
  hashDigest,
  headWord,
  MAX_PAYLOAD_BYTES,
  MAX_SPACE,
  PAYLOAD_OFFSET,
  payloadLengthOfHead,
  spaceOfHead,
  WORDS_PER_UNIT,
} from './digest-record.ts';
import { DIGEST_BYTES } from './key-digest.ts';
import { type RecordArena, UNIT_BYTES } from './record-arena.ts';
import { SlotTable } from './slot-table.ts';

/** What a reader on another thread needs. Can be posted. */
export interface SharedDigestTableHandles {
  readonly records: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly seed: number;
}

export interface SharedDigestTableOptions {
  /** Where the records lie; other records may lie there too. */
  readonly arena: RecordArena;
  /** 32 random bits. */
  readonly seed: number;
  /** Reserved address space of the slots; 4 to 20 bytes are used for each key. */
  readonly maxSlotBytes: number;
}

/**
 * The one writer of a table from (space, 32-byte digest) to an immutable payload, read by any number of threads without locks.
 *
 * Each change is seen at once and whole: a reader finds the old payload or the new one, never a mixture and never another
 * key's. A change costs microseconds whatever the table holds; growing is spread over the changes that follow.
 */
export class SharedDigestTableWriter {
  readonly #arena: RecordArena;
  readonly #seed: number;
  readonly #slots: SlotTable;
  readonly #sought = new Uint32Array(DIGEST_WORDS);
  readonly #soughtBytes = new Uint8Array(this.#sought.buffer);
  #soughtSpace = 0;
  readonly #isSought = (unit: number): boolean => this.#matches(unit);

  constructor(options: SharedDigestTableOptions) {
    this.#arena = options.arena;
    this.#seed = options.seed;
    this.#slots = new SlotTable({ hashOf: (unit) => this.#hashOf(unit) }, options.maxSlotBytes);
  }

  get handles(): SharedDigestTableHandles {
    return { records: this.#arena.buffer, slots: this.#slots.buffer, control: this.#slots.control, seed: this.#seed };
  }

  get slotBytes(): number {
    return this.#slots.buffer.byteLength;
  }

  /** Keys in the table. */
  get size(): number {
    return this.#slots.size;
  }

  /** The record of this key, or 0. */
  find(space: number, digest: Uint8Array): number {
    return this.#slots.find(this.#seek(space, digest), this.#isSought);
  }

  /** Adds the key, or replaces its payload; gives the new record. @throws SharedTableFull, and RangeError for a wrong space, digest or payload */
  put(space: number, digest: Uint8Array, payload: Uint8Array): number {
    if (!Number.isInteger(space) || space < 0 || space > MAX_SPACE) throw new RangeError('a space is one byte');
    if (payload.length > MAX_PAYLOAD_BYTES) throw new RangeError('the payload is too long');
    const hash = this.#seek(space, digest);
    const old = this.#slots.find(hash, this.#isSought);
    const unit = this.#arena.allocate(PAYLOAD_OFFSET + payload.length);
    const word = unit * WORDS_PER_UNIT;
    this.#arena.words[word] = headWord(space, payload.length);
    this.#arena.words.set(this.#sought, word + DIGEST_WORD);
    this.#arena.bytes.set(payload, unit * UNIT_BYTES + PAYLOAD_OFFSET);
    if (old === 0) {
      this.#insert(hash, unit, payload.length);
    } else {
      this.#slots.replace(hash, old, unit);
      this.#retire(old);
    }
    return unit;
  }

  /** Takes the key out; false when it was not there. */
  remove(space: number, digest: Uint8Array): boolean {
    const hash = this.#seek(space, digest);
    const unit = this.#slots.find(hash, this.#isSought);
    if (unit === 0) return false;
    this.#removeAt(hash, unit);
    return true;
  }

  /** Takes a record out that `find` or `put` gave and that is still in the table. */
  removeRecord(unit: number): void {
    this.#removeAt(this.#hashOf(unit), unit);
  }

  /** First byte of a record's payload in the arena's bytes. */
  payloadStart(unit: number): number {
    return unit * UNIT_BYTES + PAYLOAD_OFFSET;
  }

  payloadLength(unit: number): number {
    return payloadLengthOfHead(this.#arena.words[unit * WORDS_PER_UNIT] ?? 0);
  }

  #insert(hash: number, unit: number, payloadLength: number): void {
    try {
      this.#slots.insert(hash, unit);
    } catch (error) {
      this.#arena.retire(unit, PAYLOAD_OFFSET + payloadLength);
      throw error;
    }
  }

  #removeAt(hash: number, unit: number): void {
    this.#slots.remove(hash, unit);
    this.#retire(unit);
  }

  #retire(unit: number): void {
    this.#arena.retire(unit, PAYLOAD_OFFSET + this.payloadLength(unit));
  }

  #seek(space: number, digest: Uint8Array): number {
    if (digest.length !== DIGEST_BYTES) throw new RangeError(`a digest has ${DIGEST_BYTES} bytes`);
    this.#soughtBytes.set(digest);
    this.#soughtSpace = space;
    return hashDigest(this.#seed, space, this.#sought[0] ?? 0, this.#sought[1] ?? 0);
  }

  #matches(unit: number): boolean {
    const { words } = this.#arena;
    const word = unit * WORDS_PER_UNIT;
    if (spaceOfHead(words[word] ?? 0) !== this.#soughtSpace) return false;
    for (let index = 0; index < DIGEST_WORDS; index++) {
      if (words[word + DIGEST_WORD + index] !== this.#sought[index]) return false;
    }
    return true;
  }

  #hashOf(unit: number): number {
    const { words } = this.#arena;
    const word = unit * WORDS_PER_UNIT;
    return hashDigest(this.#seed, spaceOfHead(words[word] ?? 0), words[word + DIGEST_WORD] ?? 0, words[word + DIGEST_WORD + 1] ?? 0);
  }
}
