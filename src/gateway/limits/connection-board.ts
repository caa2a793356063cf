import { REFUSAL_REASONS, type RefusalReason } from './refusal-reasons.ts';

/** Fields of a worker's row; 64 bytes keep two workers off one cache line. */
const CLIENTS = 0;
const UPSTREAMS = 1;
const PAUSED = 2;
const FIRST_TOTAL = 3;
/** How often the worker stopped accepting because descriptors were short, clients that were let in; behind it the refusals by reason. */
const PAUSES = FIRST_TOTAL;
const ADMITTED = FIRST_TOTAL + 1;
const REFUSALS = FIRST_TOTAL + 2;
const END_OF_TOTALS = REFUSALS + REFUSAL_REASONS.length;
const FIELDS_PER_ROW = 16;

/** What goes up and down. */
export type ConnectionKind = 'client' | 'upstream';

/**
 * Connections and refusals of all workers, in memory that they share. Each worker counts in its own row by single atomic
 * operations; a sum over the rows is the instance. The last row keeps what workers that are gone had refused.
 */
export class ConnectionBoard {
  readonly shared: SharedArrayBuffer;
  readonly #fields: Int32Array;
  readonly #rows: number;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#fields = new Int32Array(shared);
    this.#rows = this.#fields.length / FIELDS_PER_ROW - 1;
  }

  static forWorkers(rows: number): ConnectionBoard {
    return new ConnectionBoard(new SharedArrayBuffer((rows + 1) * FIELDS_PER_ROW * Int32Array.BYTES_PER_ELEMENT));
  }

  /**
   * Counts one more connection of the worker unless the instance then had more than `limit`. The worker counts itself first and looks at
   * the others after, so two of them can refuse the last place to each other, but never both take it.
   */
  enter(row: number, kind: ConnectionKind, limit: number): boolean {
    const field = row * FIELDS_PER_ROW + fieldOf(kind);
    Atomics.add(this.#fields, field, 1);
    if (this.open(kind) <= limit) {
      if (kind === 'client') Atomics.add(this.#fields, row * FIELDS_PER_ROW + ADMITTED, 1);
      return true;
    }
    Atomics.sub(this.#fields, field, 1);
    return false;
  }

  leave(row: number, kind: ConnectionKind): void {
    Atomics.sub(this.#fields, row * FIELDS_PER_ROW + fieldOf(kind), 1);
  }

  /** Open connections of the whole instance. */
  open(kind: ConnectionKind): number {
    return this.#sum(fieldOf(kind));
  }

  /** Connections of clients that were let in since the process began. */
  get admittedClients(): number {
    return this.#total(ADMITTED);
  }

  refused(row: number, reason: RefusalReason): void {
    Atomics.add(this.#fields, row * FIELDS_PER_ROW + REFUSALS + REFUSAL_REASONS.indexOf(reason), 1);
  }

  /** Refusals for this reason since the process began, those of workers that are gone included. */
  refusals(reason: RefusalReason): number {
    return this.#total(REFUSALS + REFUSAL_REASONS.indexOf(reason));
  }

  setPaused(row: number, paused: boolean): void {
    const base = row * FIELDS_PER_ROW;
    if (paused) Atomics.add(this.#fields, base + PAUSES, 1);
    Atomics.store(this.#fields, base + PAUSED, paused ? 1 : 0);
  }

  /** Workers that accept nothing at present because descriptors are short. */
  get pausedWorkers(): number {
    return this.#sum(PAUSED);
  }

  /** How often a worker has stopped accepting for that since the process began. */
  get pauses(): number {
    return this.#total(PAUSES);
  }

  /** The worker of this row is gone, and its connections with it; what it refused stays counted. Only by the agent. */
  clearRow(row: number): void {
    const base = row * FIELDS_PER_ROW;
    const kept = this.#rows * FIELDS_PER_ROW;
    for (let field = FIRST_TOTAL; field < END_OF_TOTALS; field++) {
      Atomics.add(this.#fields, kept + field, Atomics.load(this.#fields, base + field));
    }
    this.#fields.fill(0, base, base + FIELDS_PER_ROW);
  }

  #sum(field: number): number {
    let sum = 0;
    for (let row = 0; row < this.#rows; row++) sum += Atomics.load(this.#fields, row * FIELDS_PER_ROW + field);
    return sum;
  }

  /** A counter that only rises may pass the largest signed number: a worker that refuses 20,000 times a second does in thirty hours. */
  #total(field: number): number {
    let sum = 0;
    for (let row = 0; row <= this.#rows; row++) sum += Atomics.load(this.#fields, row * FIELDS_PER_ROW + field) >>> 0;
    return sum;
  }
}

function fieldOf(kind: ConnectionKind): number {
  return kind === 'client' ? CLIENTS : UPSTREAMS;
}
