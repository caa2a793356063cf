import { hash } from 'node:crypto';
import type { EpochRegistry } from '../../lib/epoch-registry.ts';
import { Quarantine } from '../../lib/quarantine.ts';
import { type RecordArena, SharedTableFull, UNIT_BYTES } from '../../lib/record-arena.ts';
import type { SharedDigestTableWriter } from '../../lib/shared-digest-table-writer.ts';
import { CONSUMER_SPACE } from './credential-table-handles.ts';

const FIRST_CAPACITY = 1024;
/** Reserved address space: four million consumers. */
const MAX_CAPACITY = 4 * 1024 * 1024;
/** A record begins with its own length in bytes, and so do the details, which lie apart. */
export const RECORD_LENGTH_BYTES = 4;
/** A record that is followed by the unit of its details has a larger first word than this. */
export const RECORD_LENGTH_MASK = 0x7fffffff;
const DETAILS_FLAG = 0x80000000;
/** The unit of the details, where there are some, follows the record's bytes. */
export const DETAILS_UNIT_BYTES = 4;

/** The digest under which a consumer's name is found. No secret: names are unique by themselves, the digest makes them 32 bytes. */
export function nameDigest(username: string): Buffer {
  return hash('sha256', username, 'buffer');
}

/**
 * The writer's side of the consumers: name → index → current record.
 *
 * Credentials name their consumer by index, so that changing a consumer is one atomic store whatever the number of its
 * credentials. An index lives while the consumer is present or a credential refers to it; one without a record is a consumer
 * that is not there (yet): its credentials match nothing. A freed index is used again when no reader can still hold it.
 */
export class ConsumerTable {
  readonly buffer: SharedArrayBuffer;
  readonly #table: SharedDigestTableWriter;
  readonly #arena: RecordArena;
  readonly #quarantine: Quarantine;
  readonly #free: number[] = [];
  readonly #indexBytes = Buffer.alloc(4);
  #units: Uint32Array<SharedArrayBuffer>;
  /** How many credentials refer to each index. */
  #references = new Uint32Array(FIRST_CAPACITY);
  /** The name's record in the digest table; 0 for a free index. */
  #nameUnits = new Uint32Array(FIRST_CAPACITY);
  #next = 0;
  #present = 0;

  constructor(table: SharedDigestTableWriter, arena: RecordArena, epochs: EpochRegistry) {
    this.#table = table;
    this.#arena = arena;
    this.#quarantine = new Quarantine(epochs, (index) => this.#free.push(index));
    this.buffer = new SharedArrayBuffer(FIRST_CAPACITY * 4, { maxByteLength: MAX_CAPACITY * 4 });
    this.#units = new Uint32Array(this.buffer, 0, FIRST_CAPACITY);
  }

  /** Consumers that are present. */
  get size(): number {
    return this.#present;
  }

  /** Of the table from index to record, and of what is kept beside it for each index. */
  get indexBytes(): number {
    return this.buffer.byteLength + this.#references.byteLength + this.#nameUnits.byteLength;
  }

  /** Every index is below. */
  get end(): number {
    return this.#next;
  }

  /** The index of a name, or -1. */
  indexOf(username: string): number {
    const unit = this.#table.find(CONSUMER_SPACE, nameDigest(username));
    return unit === 0 ? -1 : this.#arena.bytes.readUInt32LE(this.#table.payloadStart(unit));
  }

  /** The index of a name, given out now if it has none. */
  indexFor(username: string): number {
    const digest = nameDigest(username);
    const unit = this.#table.find(CONSUMER_SPACE, digest);
    if (unit !== 0) return this.#arena.bytes.readUInt32LE(this.#table.payloadStart(unit));
    const index = this.#take();
    this.#indexBytes.writeUInt32LE(index);
    try {
      this.#nameUnits[index] = this.#table.put(CONSUMER_SPACE, digest, this.#indexBytes);
    } catch (error) {
      this.#free.push(index);
      throw error;
    }
    return index;
  }

  isPresent(index: number): boolean {
    return (this.#units[index] ?? 0) !== 0;
  }

  /** Publishes the record (see `consumerRecord`) and the details (see `consumerDetails`) in one; equal ones stay. @throws SharedTableFull */
  put(index: number, record: Buffer, details: Buffer): void {
    const old = this.#units[index] ?? 0;
    if (old !== 0 && this.#bytesAt(old).equals(record) && this.#detailsOf(old).equals(details)) return;
    const unit = this.#write(record, details);
    Atomics.store(this.#units, index, unit);
    if (old === 0) this.#present += 1;
    else this.#retire(old);
  }

  /** The consumer is there no more; its index stays while credentials refer to it. */
  remove(index: number): void {
    const unit = this.#units[index] ?? 0;
    if (unit !== 0) {
      Atomics.store(this.#units, index, 0);
      this.#present -= 1;
      this.#retire(unit);
    }
    this.#letGo(index);
  }

  addReference(index: number): void {
    this.#references[index] = (this.#references[index] ?? 0) + 1;
  }

  dropReference(index: number): void {
    this.#references[index] = (this.#references[index] ?? 0) - 1;
    this.#letGo(index);
  }

  reclaim(limit: number): void {
    this.#quarantine.reclaim(limit);
  }

  /** Gives back an index that nothing needs any more. */
  #letGo(index: number): void {
    const nameUnit = this.#nameUnits[index] ?? 0;
    if (nameUnit === 0 || this.isPresent(index) || (this.#references[index] ?? 0) > 0) return;
    this.#nameUnits[index] = 0;
    this.#table.removeRecord(nameUnit);
    this.#quarantine.add(index, 0);
  }

  #take(): number {
    this.#quarantine.reclaim(2);
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#next === this.#units.length) this.#grow();
    this.#next += 1;
    return this.#next - 1;
  }

  #grow(): void {
    const capacity = this.#units.length * 2;
    if (capacity > MAX_CAPACITY) throw new SharedTableFull('another consumer');
    this.buffer.grow(capacity * 4);
    this.#units = new Uint32Array(this.buffer, 0, capacity);
    this.#references = resized(this.#references, capacity);
    this.#nameUnits = resized(this.#nameUnits, capacity);
  }

  /** A record that has details ends with their unit, so that one word names both; one that has none is as short as it can be. */
  #write(record: Buffer, details: Buffer): number {
    if (details.length === 0) return this.#writeBytes(record, 0);
    const detailsUnit = this.#writeBytes(details, 0);
    try {
      const unit = this.#writeBytes(record, DETAILS_UNIT_BYTES);
      const at = unit * UNIT_BYTES;
      this.#arena.bytes.writeUInt32LE((record.length | DETAILS_FLAG) >>> 0, at);
      this.#arena.bytes.writeUInt32LE(detailsUnit, at + RECORD_LENGTH_BYTES + record.length);
      return unit;
    } catch (error) {
      this.#arena.retire(detailsUnit, RECORD_LENGTH_BYTES + details.length);
      throw error;
    }
  }

  #writeBytes(bytes: Buffer, room: number): number {
    const unit = this.#arena.allocate(RECORD_LENGTH_BYTES + bytes.length + room);
    this.#arena.bytes.writeUInt32LE(bytes.length, unit * UNIT_BYTES);
    this.#arena.bytes.set(bytes, unit * UNIT_BYTES + RECORD_LENGTH_BYTES);
    return unit;
  }

  #lengthAt(unit: number): number {
    return this.#arena.bytes.readUInt32LE(unit * UNIT_BYTES) & RECORD_LENGTH_MASK;
  }

  #bytesAt(unit: number): Buffer {
    const start = unit * UNIT_BYTES + RECORD_LENGTH_BYTES;
    return this.#arena.bytes.subarray(start, start + this.#lengthAt(unit));
  }

  /** The unit of a record's details, or 0. */
  #detailsUnitOf(unit: number): number {
    const at = unit * UNIT_BYTES;
    if (this.#arena.bytes.readUInt32LE(at) <= RECORD_LENGTH_MASK) return 0;
    return this.#arena.bytes.readUInt32LE(at + RECORD_LENGTH_BYTES + this.#lengthAt(unit));
  }

  #detailsOf(unit: number): Buffer {
    const detailsUnit = this.#detailsUnitOf(unit);
    return detailsUnit === 0 ? NO_DETAILS : this.#bytesAt(detailsUnit);
  }

  #retire(unit: number): void {
    const detailsUnit = this.#detailsUnitOf(unit);
    const length = RECORD_LENGTH_BYTES + this.#lengthAt(unit);
    this.#arena.retire(unit, detailsUnit === 0 ? length : length + DETAILS_UNIT_BYTES);
    if (detailsUnit !== 0) this.#arena.retire(detailsUnit, RECORD_LENGTH_BYTES + this.#lengthAt(detailsUnit));
  }
}

const NO_DETAILS = Buffer.alloc(0);

function resized(old: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(old);
  return larger;
}
