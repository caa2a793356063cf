import type { HealthReport, HealthState } from './node-health.ts';

/** Nodes that can be looked after at once. */
export const MOST_CHECKED_NODES = 32_768;

/** The first line: how often a node went down or came up again. */
const GENERATION = 0;
const HEADER_WORDS = 16;

/** No bit: healthy. */
const DOWN = 1;
const AWAITS_SUCCESS = 2;
const IGNORES_FAILURE = 4;

/** A worker's reports: a ring that it fills and the agent empties. The first line has the places of both, and two flags. */
const FILLED = 0;
const EMPTIED = 1;
const WOKEN = 2;
const RING_HEADER_WORDS = 16;
const RING_ENTRIES = 512;
const RING_WORDS = RING_HEADER_WORDS + RING_ENTRIES;
/** Places are counted without end, within 30 bits. */
const PLACES = 2 ** 30;

const WORDS: Readonly<Record<HealthState, number>> = {
  healthy: 0,
  mostly_healthy: AWAITS_SUCCESS,
  mostly_unhealthy: DOWN | AWAITS_SUCCESS,
  unhealthy: DOWN | AWAITS_SUCCESS | IGNORES_FAILURE,
};

const REPORTS = ['success', 'http_failure', 'tcp_failure', 'timeout_failure'] as const satisfies readonly HealthReport[];
const KIND_BITS = 2;
const TAG_BITS = 12;
const TAGS = 2 ** TAG_BITS;

/** Where a node's health stands. A place is used again for another node: the tag tells whose turn it is. */
export interface HealthSlot {
  readonly slot: number;
  /** From 0 to below `HealthBoard.tags`. */
  readonly tag: number;
}

/**
 * The health of nodes in memory that all threads of an instance share. The agent alone says what a node is taken for; workers read that,
 * and put what they see of nodes into a ring of their own each. Single atomic operations, no locks.
 */
export class HealthBoard {
  static readonly tags = TAGS;
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  static forWorkers(rows: number): HealthBoard {
    const words = HEADER_WORDS + MOST_CHECKED_NODES + rows * RING_WORDS;
    return new HealthBoard(new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT));
  }

  /** Another number whenever a node has gone down or come up. A plain read, as each request asks. */
  get generation(): number {
    return this.#words[GENERATION] ?? 0;
  }

  isDown(slot: number): boolean {
    return ((this.#words[HEADER_WORDS + slot] ?? 0) & DOWN) !== 0;
  }

  /** A success of this node would be news. */
  awaitsSuccess(slot: number): boolean {
    return ((this.#words[HEADER_WORDS + slot] ?? 0) & AWAITS_SUCCESS) !== 0;
  }

  /** A further failure of this node would change nothing. */
  ignoresFailure(slot: number): boolean {
    return ((this.#words[HEADER_WORDS + slot] ?? 0) & IGNORES_FAILURE) !== 0;
  }

  /** Only by the agent. */
  set(slot: number, state: HealthState): void {
    const word = WORDS[state];
    const before = Atomics.exchange(this.#words, HEADER_WORDS + slot, word);
    if (((before ^ word) & DOWN) !== 0) Atomics.add(this.#words, GENERATION, 1);
  }

  /**
   * Only by the worker of this row. True: the agent sleeps and has to be told. What finds no room is lost: the agent is far behind then, and
   * there are enough of the kind.
   */
  report(row: number, { slot, tag }: HealthSlot, report: HealthReport): boolean {
    const ring = ringOf(row);
    const filled = this.#words[ring + FILLED] ?? 0;
    const waiting = (filled - Atomics.load(this.#words, ring + EMPTIED) + PLACES) % PLACES;
    if (waiting >= RING_ENTRIES) return false;
    const entry = (((slot << TAG_BITS) | tag) << KIND_BITS) | REPORTS.indexOf(report);
    this.#words[ring + RING_HEADER_WORDS + (filled % RING_ENTRIES)] = entry;
    Atomics.store(this.#words, ring + FILLED, (filled + 1) % PLACES);
    return Atomics.exchange(this.#words, ring + WOKEN, 1) === 0;
  }

  /** Takes all reports of a row, in their order. Only by the agent. */
  drain(row: number, take: (slot: HealthSlot, report: HealthReport) => void): void {
    const ring = ringOf(row);
    // First, so that a report which comes after the last look wakes the agent again.
    Atomics.store(this.#words, ring + WOKEN, 0);
    for (let place = Atomics.load(this.#words, ring + EMPTIED); place !== Atomics.load(this.#words, ring + FILLED); ) {
      const entry = this.#words[ring + RING_HEADER_WORDS + (place % RING_ENTRIES)] ?? 0;
      const report = REPORTS[entry & (2 ** KIND_BITS - 1)];
      const tag = (entry >>> KIND_BITS) % TAGS;
      if (report !== undefined) take({ slot: entry >>> (KIND_BITS + TAG_BITS), tag }, report);
      place = (place + 1) % PLACES;
      Atomics.store(this.#words, ring + EMPTIED, place);
    }
  }

  /** Makes a row ready for the next worker. Only by the agent, after the one before has ended. */
  clearRow(row: number): void {
    this.#words.fill(0, ringOf(row), ringOf(row) + RING_WORDS);
  }
}

function ringOf(row: number): number {
  return HEADER_WORDS + MOST_CHECKED_NODES + row * RING_WORDS;
}
