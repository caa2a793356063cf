import { hash } from 'node:crypto';
import { addressGroup } from '../../lib/address-group.ts';

/** Counters in each of four tables: 1 MiB a worker, there only when the limit is on. */
const TABLE_COUNTERS = 65_536;
const TABLES = 4;
const ROW_COUNTERS = TABLE_COUNTERS * TABLES;

/**
 * Open connections by client address over all workers, in fixed memory: each address has a counter in four tables, and the smallest
 * of the four is its count. It is never too low; it is too high only for an address that shares all four with others, and
 * which ones those are depends on a secret, so nobody can choose them.
 */
export class AddressCounts {
  readonly shared: SharedArrayBuffer;
  readonly #counters: Int32Array;
  readonly #rows: number;
  readonly #secret: string;
  /** The positions of one address, used again for the next. */
  readonly #positions = new Int32Array(TABLES);

  constructor(shared: SharedArrayBuffer, secret: string) {
    this.shared = shared;
    this.#counters = new Int32Array(shared);
    this.#rows = this.#counters.length / ROW_COUNTERS;
    this.#secret = secret;
  }

  static forWorkers(rows: number, secret: string): AddressCounts {
    return new AddressCounts(new SharedArrayBuffer(rows * ROW_COUNTERS * Int32Array.BYTES_PER_ELEMENT), secret);
  }

  /** Counts one more connection unless the address then had more than `limit`. */
  enter(row: number, address: string, limit: number): boolean {
    this.#locate(address);
    this.#add(row, 1);
    if (this.#smallest() <= limit) return true;
    this.#add(row, -1);
    return false;
  }

  leave(row: number, address: string): void {
    this.#locate(address);
    this.#add(row, -1);
  }

  /** The worker of this row is gone, and its connections with it. Only by the agent. */
  clearRow(row: number): void {
    this.#counters.fill(0, row * ROW_COUNTERS, (row + 1) * ROW_COUNTERS);
  }

  #locate(address: string): void {
    const digest = hash('sha256', `${this.#secret} ${addressGroup(address)}`, 'buffer');
    for (let table = 0; table < TABLES; table++) {
      this.#positions[table] = table * TABLE_COUNTERS + (digest.readUInt32LE(table * 4) % TABLE_COUNTERS);
    }
  }

  #add(row: number, difference: number): void {
    for (const position of this.#positions) Atomics.add(this.#counters, row * ROW_COUNTERS + position, difference);
  }

  #smallest(): number {
    let smallest = Number.MAX_SAFE_INTEGER;
    for (const position of this.#positions) {
      let sum = 0;
      for (let row = 0; row < this.#rows; row++) sum += Atomics.load(this.#counters, row * ROW_COUNTERS + position);
      smallest = Math.min(smallest, sum);
    }
    return smallest;
  }
}
