import {
  DIGEST_WORD,
  DIGEST_WORDS,
  hashDigest,
  PAYLOAD_OFFSET,
  payloadLengthOfHead,
  spaceOfHead,
  WORDS_PER_UNIT,
} from './digest-record.ts';
import { UNIT_BYTES } from './record-arena.ts';
import { SharedBytesView } from './shared-bytes-view.ts';
import type { SharedDigestTableHandles } from './shared-digest-table-writer.ts';
import { DELETED_SLOT, EMPTY_SLOT, GENERATION_WORD, regionRow, sameTag, UNIT_MASK } from './slot-layout.ts';

/**
 * One thread's view of a shared digest table. Finding allocates nothing and takes no lock.
 *
 * A record found stays as it is until this thread passes an epoch (`EpochRow.pass`), which it does between requests' steps,
 * never between `find` and the reading of what it found. Whoever needs the payload for longer copies it.
 */
export class SharedDigestTableReader {
  readonly records: SharedBytesView;
  readonly #slotBuffer: SharedArrayBuffer;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #seed: number;
  readonly #sought = new Uint32Array(DIGEST_WORDS);
  readonly #soughtBytes = new Uint8Array(this.#sought.buffer);
  #slots: Uint32Array<SharedArrayBuffer>;
  #generation = -1;
  #base = 0;
  #mask = 0;

  constructor(handles: SharedDigestTableHandles, records = new SharedBytesView(handles.records)) {
    this.records = records;
    this.#slotBuffer = handles.slots;
    this.#slots = new Uint32Array(handles.slots, 0, 0);
    this.#control = new Int32Array(handles.control);
    this.#seed = handles.seed;
  }

  /** The record of this key, or -1. `digest` has 32 bytes. */
  find(space: number, digest: Uint8Array): number {
    this.#soughtBytes.set(digest);
    const hash = hashDigest(this.#seed, space, this.#sought[0] ?? 0, this.#sought[1] ?? 0);
    for (;;) {
      const generation = Atomics.load(this.#control, GENERATION_WORD);
      if (generation !== this.#generation) this.#renew();
      const unit = this.#probe(space, hash);
      // A region that was replaced during the search may have been cleared under it: only a hit counts there.
      if (unit >= 0 || Atomics.load(this.#control, GENERATION_WORD) === this.#generation) return unit;
    }
  }

  /** First byte of a record's payload in `records.bytes`. */
  payloadStart(record: number): number {
    return record * UNIT_BYTES + PAYLOAD_OFFSET;
  }

  payloadLength(record: number): number {
    return payloadLengthOfHead(this.records.words[record * WORDS_PER_UNIT] ?? 0);
  }

  #probe(space: number, hash: number): number {
    let index = hash & this.#mask;
    for (let count = 0; count <= this.#mask; count++) {
      const slot = Atomics.load(this.#slots, this.#base + index);
      if (slot === EMPTY_SLOT) return -1;
      if (slot !== DELETED_SLOT && sameTag(slot, hash) && this.#matches(slot & UNIT_MASK, space)) return slot & UNIT_MASK;
      index = (index + 1) & this.#mask;
    }
    return -1;
  }

  #matches(unit: number, space: number): boolean {
    const word = unit * WORDS_PER_UNIT;
    this.records.reach(unit * UNIT_BYTES + PAYLOAD_OFFSET);
    const { words } = this.records;
    const head = words[word] ?? 0;
    if (spaceOfHead(head) !== space) return false;
    for (let index = 0; index < DIGEST_WORDS; index++) {
      if (words[word + DIGEST_WORD + index] !== this.#sought[index]) return false;
    }
    this.records.reach(unit * UNIT_BYTES + PAYLOAD_OFFSET + payloadLengthOfHead(head));
    return true;
  }

  /** Reads one generation's row whole: the writer comes back to the same row only 64 generations later. */
  #renew(): void {
    for (;;) {
      const generation = Atomics.load(this.#control, GENERATION_WORD);
      const row = regionRow(generation);
      this.#base = Atomics.load(this.#control, row);
      this.#mask = Atomics.load(this.#control, row + 1);
      if (Atomics.load(this.#control, GENERATION_WORD) !== generation) continue;
      this.#generation = generation;
      const end = this.#base + this.#mask + 1;
      // Fixed length: a view that tracks a growing buffer reads six times slower.
      if (this.#slots.length < end) this.#slots = new Uint32Array(this.#slotBuffer, 0, end);
      return;
    }
  }
}
