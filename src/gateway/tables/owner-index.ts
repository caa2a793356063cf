import type { RecordArena } from '../../lib/record-arena.ts';
import type { SharedDigestTableWriter } from '../../lib/shared-digest-table-writer.ts';
import { SlotTable } from '../../lib/slot-table.ts';
import { CREDENTIAL_ID_OFFSET, consumerIndexOf, endOfCredentialId } from './credential-payload.ts';

/**
 * Which records belong to one owner, i.e. have payloads of one consumer and credential id, known to the writer only.
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

  get slotBytes(): number {
    return this.#slots.buffer.byteLength;
  }

  add(unit: number): void {
    this.#slots.insert(this.#hashOf(unit), unit);
  }

  remove(unit: number): void {
    this.#slots.remove(this.#hashOf(unit), unit);
  }

  /** The units of all records of the owner that this payload has, whatever their data. */
  recordsOf(payload: Buffer): number[] {
    const found: number[] = [];
    this.#slots.find(this.#hash(payload, 0, payload.length), (unit) => {
      if (this.#isOwnedAs(unit, payload)) found.push(unit);
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

  #isOwnedAs(unit: number, payload: Buffer): boolean {
    const { bytes } = this.#arena;
    const start = this.#table.payloadStart(unit);
    if (consumerIndexOf(bytes, start) !== consumerIndexOf(payload, 0)) return false;
    const idEnd = endOfCredentialId(bytes, start, start + this.#table.payloadLength(unit));
    const wantedEnd = endOfCredentialId(payload, 0, payload.length);
    return bytes.compare(payload, CREDENTIAL_ID_OFFSET, wantedEnd, start + CREDENTIAL_ID_OFFSET, idEnd) === 0;
  }

  #hashOf(unit: number): number {
    const start = this.#table.payloadStart(unit);
    return this.#hash(this.#arena.bytes, start, start + this.#table.payloadLength(unit));
  }

  /** FNV-1a with a seed over consumer and id, and a finish that spreads it over all bits. */
  #hash(bytes: Buffer, start: number, end: number): number {
    let hash = Math.imul(this.#seed ^ consumerIndexOf(bytes, start), 0x01000193);
    const idEnd = endOfCredentialId(bytes, start, end);
    for (let index = start + CREDENTIAL_ID_OFFSET; index < idEnd; index++) hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) >>> 0;
  }
}
