import type { EpochRegistry } from './epoch-registry.ts';
import { Quarantine } from './quarantine.ts';

/** Records begin at multiples of this many bytes and are named by the multiple, their unit. */
export const UNIT_BYTES = 8;
/** Units are 28 bits wide, because slots keep four bits of the hash beside them: 2 GiB of records. */
const MAX_UNIT = 2 ** 28 - 1;
/** Unit 0 stands for "no record" and unit 1 for "deleted" in slots, so records begin behind them. */
const FIRST_UNIT = 2;
const EXACT_CLASSES = 32;
const FIRST_BYTES = 64 * 1024;
const LARGEST_GROWTH_BYTES = 64 * 1024 * 1024;
const RECLAIMED_PER_ALLOCATION = 4;

/** A shared table has reached its reserved size. Nothing was changed. */
export class SharedTableFull extends Error {
  constructor(what: string) {
    super(`the shared table has no room left for ${what}`);
    this.name = 'SharedTableFull';
  }
}

/**
 * The writer's side of a shared buffer that holds immutable records of any length.
 *
 * A record given back rests in quarantine until no reader can see it, then its room is used for a record of the same size
 * class (exact up to 256 bytes, at most an eighth larger above that), so a table whose keys come and go stops growing.
 */
export class RecordArena {
  readonly buffer: SharedArrayBuffer;
  /** Views on the whole buffer; renewed when it grows, so read them anew after each allocation. */
  bytes: Buffer<SharedArrayBuffer>;
  words: Uint32Array<SharedArrayBuffer>;
  readonly #freeBySize = new Map<number, number>();
  readonly #quarantine: Quarantine;
  #nextUnit = FIRST_UNIT;

  constructor(epochs: EpochRegistry, maxBytes: number) {
    const maxByteLength = Math.min(maxBytes, (MAX_UNIT + 1) * UNIT_BYTES);
    this.buffer = new SharedArrayBuffer(Math.min(FIRST_BYTES, maxByteLength), { maxByteLength });
    this.bytes = Buffer.from(this.buffer, 0, this.buffer.byteLength);
    this.words = new Uint32Array(this.buffer, 0, this.buffer.byteLength / 4);
    this.#quarantine = new Quarantine(epochs, (unit, units) => this.#free(unit, units));
  }

  /** Bytes ever taken from the buffer; those in quarantine and on free lists are counted. */
  get usedBytes(): number {
    return this.#nextUnit * UNIT_BYTES;
  }

  /** Records that readers may still see. */
  get quarantined(): number {
    return this.#quarantine.size;
  }

  /** The unit of a new record of this length; its bytes are what was there before. @throws SharedTableFull */
  allocate(byteLength: number): number {
    this.#quarantine.reclaim(RECLAIMED_PER_ALLOCATION);
    const units = classOf(byteLength);
    const free = this.#freeBySize.get(units) ?? 0;
    if (free !== 0) {
      this.#freeBySize.set(units, this.words[free * 2] ?? 0);
      return free;
    }
    const unit = this.#nextUnit;
    this.#reach((unit + units) * UNIT_BYTES);
    this.#nextUnit = unit + units;
    return unit;
  }

  /** Gives back a record of this length that can no longer be reached from any table. Readers may still be looking at it. */
  retire(unit: number, byteLength: number): void {
    this.#quarantine.add(unit, classOf(byteLength));
  }

  /** Puts up to `limit` records on the free lists that no reader can see any more. */
  reclaim(limit: number): void {
    this.#quarantine.reclaim(limit);
  }

  #free(unit: number, units: number): void {
    this.words[unit * 2] = this.#freeBySize.get(units) ?? 0;
    this.#freeBySize.set(units, unit);
  }

  #reach(byteLength: number): void {
    const current = this.buffer.byteLength;
    if (byteLength <= current) return;
    if (byteLength > this.buffer.maxByteLength) throw new SharedTableFull('another record');
    const step = Math.min(current, LARGEST_GROWTH_BYTES);
    this.buffer.grow(Math.min(this.buffer.maxByteLength, Math.max(byteLength, current + step)));
    this.bytes = Buffer.from(this.buffer, 0, this.buffer.byteLength);
    this.words = new Uint32Array(this.buffer, 0, Math.floor(this.buffer.byteLength / 4));
  }
}

/** The size, in units, of the class that a record of this length belongs to. */
function classOf(byteLength: number): number {
  const units = Math.ceil(byteLength / UNIT_BYTES);
  if (units <= EXACT_CLASSES) return units;
  const step = 2 ** (31 - Math.clz32(units - 1) - 3);
  return Math.ceil(units / step) * step;
}
