/** Services and nodes that can be counted in a process's life: 2 MiB with up to 16 rows, of which only what is used takes memory. */
const SLOTS = 32_768;
/** Places looked at for one key; a table filled to nine tenths needs more only once in a million times. */
const MAX_PROBES = 128;
/** Counts of one slot lie together, on as few cache lines as possible: a sum reads one line for up to 16 rows. */
const COUNTS_PER_LINE = 16;
const NONE = 0n;

/**
 * Requests in flight by service and by node, counted over all workers. A slot belongs to a key (64 bits of a hash) from its first use to
 * the end of the process; the worker that comes first takes it with one compare-and-exchange. A worker counts in its own row.
 */
export class SlotCounts {
  readonly shared: SharedArrayBuffer;
  readonly rows: number;
  readonly #keys: BigInt64Array;
  readonly #counts: Int32Array;
  readonly #stride: number;

  constructor(shared: SharedArrayBuffer, rows: number) {
    this.shared = shared;
    this.rows = rows;
    this.#stride = strideOf(rows);
    this.#keys = new BigInt64Array(shared, 0, SLOTS);
    this.#counts = new Int32Array(shared, SLOTS * BigInt64Array.BYTES_PER_ELEMENT);
  }

  static forWorkers(rows: number): SlotCounts {
    const bytes = SLOTS * (BigInt64Array.BYTES_PER_ELEMENT + strideOf(rows) * Int32Array.BYTES_PER_ELEMENT);
    return new SlotCounts(new SharedArrayBuffer(bytes), rows);
  }

  /** The slot of this key, the same on every worker; -1 when the table is full, and then nothing is counted. */
  slotOf(key: bigint): number {
    const wanted = key === NONE ? 1n : key;
    let slot = Number(BigInt.asUintN(32, wanted)) % SLOTS;
    for (let probe = 0; probe < MAX_PROBES; probe++) {
      const found = Atomics.compareExchange(this.#keys, slot, NONE, wanted);
      if (found === NONE || found === wanted) return slot;
      slot = (slot + 1) % SLOTS;
    }
    return -1;
  }

  /**
   * Counts one more unless all workers together then had more than `limit`. The worker counts itself first and looks at the others
   * after: two can refuse the last place to each other, but never both take it.
   */
  enter(slot: number, row: number, limit: number): boolean {
    const base = slot * this.#stride;
    const end = base + this.rows;
    Atomics.add(this.#counts, base + row, 1);
    let sum = 0;
    // Plain reads, 5 ns cheaper a row: the atomic addition before them keeps them behind it.
    for (let index = base; index < end; index++) sum += this.#counts[index] ?? 0;
    if (sum <= limit) return true;
    Atomics.sub(this.#counts, base + row, 1);
    return false;
  }

  leave(slot: number, row: number): void {
    Atomics.sub(this.#counts, slot * this.#stride + row, 1);
  }

  /** As `total`, by plain reads, which may be a moment behind: for choosing, not for limits. */
  roughTotal(slot: number): number {
    const base = slot * this.#stride;
    const end = base + this.rows;
    let sum = 0;
    for (let index = base; index < end; index++) sum += this.#counts[index] ?? 0;
    return sum;
  }

  /** What is in flight over all workers. */
  total(slot: number): number {
    let sum = 0;
    for (let row = 0; row < this.rows; row++) sum += Atomics.load(this.#counts, slot * this.#stride + row);
    return sum;
  }

  /** The worker of this row is gone, and its requests with it. Only by the agent. */
  clearRow(row: number): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (Atomics.load(this.#keys, slot) !== NONE) Atomics.store(this.#counts, slot * this.#stride + row, 0);
    }
  }
}

function strideOf(rows: number): number {
  return Math.ceil(rows / COUNTS_PER_LINE) * COUNTS_PER_LINE;
}
