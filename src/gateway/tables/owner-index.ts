import type { RecordArena } from '../../lib/record-arena.ts';
import type { SharedDigestTableWriter } from '../../lib/shared-digest-table-writer.ts';
import { SlotTable } from '../../lib/slot-table.ts';

/**
 * Which records belong to one owner, i.e. carry one payload (consumer and credential id), known to the writer only.
 * It holds nothing but the records' units and reads the owner from the records themselves: 7 to 20 bytes a record.
 */
export class OwnerIndex {
  readonly #table: SharedDigestTableWriter;
  readonly #arena: RecordArena;
  readonly #seed: number;
  readonly #slots: SlotTable;

  constructor(table: SharedDigestTableWriter, arena: RecordArena, seed: number, maxBytes: number) {
    this.#table = table;
    this.#arena = arena;
    this.#seed = seed;
    this.#slots = new SlotTable({ hashOf: (unit) => this.#hashOf(unit) }, maxBytes);
  }

  get size(): number {
    return this.#slots.size;
  }

  add(unit: number): void {
    this.#slots.insert(this.#hashOf(unit), unit);
  }

  remove(unit: number): void {
    this.#slots.remove(this.#hashOf(unit), unit);
  }

  /** The units of all records with this payload. */
  recordsOf(payload: Buffer): number[] {
    const found: number[] = [];
    this.#slots.find(this.#hash(payload, 0, payload.length), (unit) => {
      if (this.#payloadEquals(unit, payload)) found.push(unit);
      return false;
    });
    return found;
  }

  /** Counts the times that positions changed as a whole. */
  get generation(): number {
    return this.#slots.generation;
  }

  get positions(): number {
    return this.#slots.capacity;
  }

  /** The record at a position, or 0. */
  unitAt(position: number): number {
    return this.#slots.unitAt(position);
  }

  #payloadEquals(unit: number, payload: Buffer): boolean {
    const start = this.#table.payloadStart(unit);
    return this.#arena.bytes.compare(payload, 0, payload.length, start, start + this.#table.payloadLength(unit)) === 0;
  }

  #hashOf(unit: number): number {
    const start = this.#table.payloadStart(unit);
    return this.#hash(this.#arena.bytes, start, start + this.#table.payloadLength(unit));
  }

  /** FNV-1a with a seed, and a finish that spreads it over all bits. */
  #hash(bytes: Buffer, start: number, end: number): number {
    let hash = this.#seed;
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }
}
