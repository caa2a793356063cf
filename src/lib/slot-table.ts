import { SharedTableFull } from './record-arena.ts';
import { CONTROL_BYTES, DELETED_SLOT, EMPTY_SLOT, GENERATION_WORD, regionRow, sameTag, slotOf, UNIT_MASK } from './slot-layout.ts';

const FIRST_CAPACITY = 1024;
/** Rebuilding begins at this part of used slots; it ends long before the searches get long. */
const REBUILD_AT = 0.6;
/** At most this part may be in use when rebuilding is impossible for want of room. */
const FULL_AT = 0.9;
/** Slots looked at in the old region with each change: 13 µs at most, and a rebuild is over after 1/128 of the region in changes. */
const COPIED_PER_CHANGE = 128;
const CLEARED_PER_CHANGE = 8192;

/** What the table must know of records: it holds nothing but their units. */
export interface SlottedRecords {
  /** The 32-bit hash under which the record was inserted. */
  hashOf(unit: number): number;
}

/** A run of slots inside the buffer; its length is a power of two. */
interface Region {
  readonly base: number;
  readonly mask: number;
  live: number;
  /** Live slots and deleted ones. */
  used: number;
}

/** A region on its way to replace the current one. */
interface Rebuild {
  readonly region: Region;
  cleared: number;
  copied: number;
}

/**
 * The writer's side of a shared open-addressing index of records (linear probing).
 *
 * Readers see each change by one atomic store of one slot. A larger or cleaner region is filled in slices, a few slots with
 * every change, while changes go to both; then readers are switched once by the generation. A reader that misses in a region
 * which was replaced meanwhile looks again, so nothing that is there is ever missed.
 */
export class SlotTable {
  readonly buffer: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly #records: SlottedRecords;
  readonly #controlWords: Int32Array<SharedArrayBuffer>;
  #slots: Uint32Array<SharedArrayBuffer>;
  /** Slots from here on were never written. */
  #untouched = 0;
  #generation = 0;
  #current: Region;
  #rebuild: Rebuild | undefined;

  constructor(records: SlottedRecords, maxBytes: number) {
    this.#records = records;
    this.buffer = new SharedArrayBuffer(FIRST_CAPACITY * 4, { maxByteLength: Math.max(maxBytes, FIRST_CAPACITY * 4) });
    this.#slots = new Uint32Array(this.buffer, 0, FIRST_CAPACITY);
    this.control = new SharedArrayBuffer(CONTROL_BYTES);
    this.#controlWords = new Int32Array(this.control);
    this.#current = { base: 0, mask: FIRST_CAPACITY - 1, live: 0, used: 0 };
    this.#untouched = FIRST_CAPACITY;
    this.#publish();
  }

  get size(): number {
    return this.#current.live;
  }

  /** Counts the regions that readers were switched to. */
  get generation(): number {
    return this.#generation;
  }

  /** Slots of the current region, for `unitAt`. */
  get capacity(): number {
    return this.#current.mask + 1;
  }

  /** The record in a slot of the current region, or 0. */
  unitAt(index: number): number {
    const slot = this.#slots[this.#current.base + index] ?? EMPTY_SLOT;
    return slot === DELETED_SLOT ? 0 : slot & UNIT_MASK;
  }

  /** The first record under this hash that `matches`, or 0. */
  find(hash: number, matches: (unit: number) => boolean): number {
    const { base, mask } = this.#current;
    for (let index = hash & mask; ; index = (index + 1) & mask) {
      const slot = this.#slots[base + index] ?? EMPTY_SLOT;
      if (slot === EMPTY_SLOT) return 0;
      if (slot !== DELETED_SLOT && sameTag(slot, hash) && matches(slot & UNIT_MASK)) return slot & UNIT_MASK;
    }
  }

  /** Adds a record that is not there yet. @throws SharedTableFull */
  insert(hash: number, unit: number): void {
    this.#advance();
    if (this.#current.used >= (this.#current.mask + 1) * FULL_AT) throw new SharedTableFull('another key');
    this.#place(this.#current, hash, slotOf(hash, unit));
    const rebuild = this.#copying();
    if (rebuild !== undefined) this.#place(rebuild.region, hash, slotOf(hash, unit));
    if (this.#rebuild === undefined && this.#current.used > (this.#current.mask + 1) * REBUILD_AT) this.#startRebuild();
  }

  /** Puts one record in the place of another with the same hash. */
  replace(hash: number, oldUnit: number, newUnit: number): void {
    this.#advance();
    this.#swap(this.#current, hash, slotOf(hash, oldUnit), slotOf(hash, newUnit));
    const rebuild = this.#copying();
    if (rebuild !== undefined) this.#swap(rebuild.region, hash, slotOf(hash, oldUnit), slotOf(hash, newUnit));
  }

  /** Takes a record out; nothing happens when it is not there. */
  remove(hash: number, unit: number): void {
    this.#advance();
    this.#clear(this.#current, hash, slotOf(hash, unit));
    const rebuild = this.#copying();
    if (rebuild !== undefined) this.#clear(rebuild.region, hash, slotOf(hash, unit));
  }

  /** The rebuild in progress, once its region is clean: only then do changes go there too. */
  #copying(): Rebuild | undefined {
    const rebuild = this.#rebuild;
    return rebuild !== undefined && rebuild.cleared > rebuild.region.mask ? rebuild : undefined;
  }

  #place(region: Region, hash: number, slot: number): void {
    let index = hash & region.mask;
    for (;;) {
      const found = this.#slots[region.base + index] ?? EMPTY_SLOT;
      if (found === EMPTY_SLOT) region.used += 1;
      if (found === EMPTY_SLOT || found === DELETED_SLOT) break;
      index = (index + 1) & region.mask;
    }
    region.live += 1;
    Atomics.store(this.#slots, region.base + index, slot);
  }

  #indexOf(region: Region, hash: number, slot: number): number {
    for (let index = hash & region.mask; ; index = (index + 1) & region.mask) {
      const found = this.#slots[region.base + index] ?? EMPTY_SLOT;
      if (found === slot) return index;
      if (found === EMPTY_SLOT) return -1;
    }
  }

  #swap(region: Region, hash: number, oldSlot: number, newSlot: number): void {
    const index = this.#indexOf(region, hash, oldSlot);
    if (index >= 0) Atomics.store(this.#slots, region.base + index, newSlot);
  }

  /** Deleted slots right before an empty one end no search too early when they are emptied as well: nothing lies behind them. */
  #clear(region: Region, hash: number, slot: number): void {
    let index = this.#indexOf(region, hash, slot);
    if (index < 0) return;
    region.live -= 1;
    Atomics.store(this.#slots, region.base + index, DELETED_SLOT);
    if ((this.#slots[region.base + ((index + 1) & region.mask)] ?? EMPTY_SLOT) !== EMPTY_SLOT) return;
    while (this.#slots[region.base + index] === DELETED_SLOT) {
      Atomics.store(this.#slots, region.base + index, EMPTY_SLOT);
      region.used -= 1;
      index = (index - 1) & region.mask;
    }
  }

  /** When most used slots are deleted ones a region of the same size will do. It lies before the current one where it fits. */
  #startRebuild(): void {
    const { base, mask, live } = this.#current;
    const capacity = (mask + 1) * (live * 2 > (mask + 1) * REBUILD_AT ? 2 : 1);
    const newBase = capacity <= base ? 0 : base + mask + 1;
    const end = newBase + capacity;
    if (end * 4 > this.buffer.maxByteLength) return;
    if (end * 4 > this.buffer.byteLength) {
      this.buffer.grow(end * 4);
      this.#slots = new Uint32Array(this.buffer, 0, end);
    }
    this.#rebuild = { region: { base: newBase, mask: capacity - 1, live: 0, used: 0 }, cleared: 0, copied: 0 };
  }

  /** One slice of a rebuild. */
  #advance(): void {
    const rebuild = this.#rebuild;
    if (rebuild === undefined) return;
    const { base, mask } = rebuild.region;
    if (rebuild.cleared <= mask) {
      const from = base + rebuild.cleared;
      const dirtyEnd = Math.min(this.#untouched, base + mask + 1);
      const to = Math.min(from + CLEARED_PER_CHANGE, dirtyEnd);
      if (from < to) this.#slots.fill(EMPTY_SLOT, from, to);
      rebuild.cleared = to >= dirtyEnd ? mask + 1 : to - base;
      return;
    }
    const end = Math.min(rebuild.copied + COPIED_PER_CHANGE, this.capacity);
    for (let index = rebuild.copied; index < end; index++) this.#copy(rebuild.region, index);
    rebuild.copied = end;
    if (end === this.capacity) this.#switchTo(rebuild.region);
  }

  /** A record that a change has already put into the new region is not put there twice. */
  #copy(region: Region, index: number): void {
    const slot = this.#slots[this.#current.base + index] ?? EMPTY_SLOT;
    if (slot === EMPTY_SLOT || slot === DELETED_SLOT) return;
    const hash = this.#records.hashOf(slot & UNIT_MASK);
    if (this.#indexOf(region, hash, slot) < 0) this.#place(region, hash, slot);
  }

  #switchTo(region: Region): void {
    this.#current = region;
    this.#rebuild = undefined;
    this.#untouched = Math.max(this.#untouched, region.base + region.mask + 1);
    this.#generation += 1;
    this.#publish();
  }

  #publish(): void {
    const row = regionRow(this.#generation);
    Atomics.store(this.#controlWords, row, this.#current.base);
    Atomics.store(this.#controlWords, row + 1, this.#current.mask);
    Atomics.store(this.#controlWords, GENERATION_WORD, this.#generation);
  }
}
