/** Where a worker's row keeps what; the rest of the 64 bytes keeps two workers off one cache line. */
const BEAT = 0;
const ROUTE = 1;
const PLUGIN = 2;
const FIELDS_PER_ROW = 16;

/** The first row belongs to all: the revision in force, in two halves because it may exceed 32 bits. */
const REVISION_LOW = 0;
const REVISION_HIGH = 1;
const TOO_OLD = 2;
/** In 64 bits each, as counted from the beginning. */
const EXPIRY_OFFSET = 2;
const HALF = 2 ** 30;

/** What a worker did last, as its row tells after it died. */
export interface LastEntered {
  /** Number of the route as the agent gave it out; 0 for none. */
  readonly route: number;
  /** Position of the plugin in the product's list plus one; 0 for none. */
  readonly plugin: number;
}

/**
 * Memory that the agent and its worker threads share: each worker's heartbeat and what it entered last, so that the agent can
 * tell that a worker blocks, and name the route and plugin, without asking it. Each row has one writer.
 */
export class WorkerBoard {
  readonly shared: SharedArrayBuffer;
  readonly #fields: Int32Array;
  readonly #wide: BigInt64Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#fields = new Int32Array(shared);
    this.#wide = new BigInt64Array(shared);
  }

  static forWorkers(rows: number): WorkerBoard {
    return new WorkerBoard(new SharedArrayBuffer((rows + 1) * FIELDS_PER_ROW * Int32Array.BYTES_PER_ELEMENT));
  }

  /** The face that one worker writes to. */
  row(row: number): WorkerRow {
    return new WorkerRow(this.#fields, (row + 1) * FIELDS_PER_ROW);
  }

  beat(row: number): number {
    return Atomics.load(this.#fields, (row + 1) * FIELDS_PER_ROW + BEAT);
  }

  lastEntered(row: number): LastEntered {
    const base = (row + 1) * FIELDS_PER_ROW;
    return { route: Atomics.load(this.#fields, base + ROUTE), plugin: Atomics.load(this.#fields, base + PLUGIN) };
  }

  /** Makes the row ready for the next worker. Only after the one before has ended. */
  clearRow(row: number): void {
    const base = (row + 1) * FIELDS_PER_ROW;
    this.#fields.fill(0, base, base + FIELDS_PER_ROW);
  }

  /** Requests are refused because the configuration is too old. */
  set refusesRequests(refuses: boolean) {
    Atomics.store(this.#fields, TOO_OLD, refuses ? 1 : 0);
  }

  get refusesRequests(): boolean {
    return this.#fields[TOO_OLD] === 1;
  }

  /** How far the time by which things expire is ahead of the machine's monotonic clock, in milliseconds, so that it goes on by itself. */
  set expiryOffsetMs(offsetMs: number) {
    Atomics.store(this.#wide, EXPIRY_OFFSET, BigInt(Math.round(offsetMs)));
  }

  get expiryOffsetMs(): number {
    return Number(Atomics.load(this.#wide, EXPIRY_OFFSET));
  }

  set revision(revision: number) {
    Atomics.store(this.#fields, REVISION_HIGH, Math.floor(revision / HALF));
    Atomics.store(this.#fields, REVISION_LOW, revision % HALF);
  }

  /** The revision in force, for logs: a read in the moment of a change may be off. */
  get revision(): number {
    // Plain reads: each request asks once, and two calls of Atomics cost more than the rest of its log line's numbers.
    return (this.#fields[REVISION_HIGH] ?? 0) * HALF + (this.#fields[REVISION_LOW] ?? 0);
  }
}

/** One worker's own row. Plain stores where only a dead worker's row is read, since a thread's end orders them. */
export class WorkerRow {
  readonly #fields: Int32Array;
  readonly #base: number;

  constructor(fields: Int32Array, base: number) {
    this.#fields = fields;
    this.#base = base;
  }

  beat(): void {
    Atomics.add(this.#fields, this.#base + BEAT, 1);
  }

  enter(route: number, plugin: number): void {
    this.#fields[this.#base + ROUTE] = route;
    this.#fields[this.#base + PLUGIN] = plugin;
  }
}
