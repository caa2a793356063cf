import type { UsageEntry } from '../../distribution/gateway-side.ts';
import { OTHER } from '../../distribution/gateway-side.ts';
import {
  ACTIVE,
  CONSUMER_LENGTH,
  COUNT,
  CREDENTIAL_LENGTH,
  createUsageHandles,
  ENTRY_WORDS,
  halvesOf,
  LAST,
  OTHER_ENTRIES,
  ROUTE_LENGTH,
  SLOT,
  STATUS,
  TEXT,
  TEXT_USED,
  USAGE_LIMITS,
  USED,
  type UsageHalf,
  type UsageHandles,
  type UsageLimits,
  WRITING,
} from './usage-handles.ts';

interface Row {
  readonly words: Int32Array;
  readonly halves: readonly [UsageHalf, UsageHalf];
}

/** The agent's side of what workers count: it changes the half in which a worker counts and empties the other. */
export class UsageRows {
  readonly handles: UsageHandles;
  readonly #rows: readonly Row[];

  constructor(rows: number, limits: UsageLimits = USAGE_LIMITS) {
    this.handles = createUsageHandles(rows, limits);
    this.#rows = this.handles.rows.map((memory) => ({ words: new Int32Array(memory, 0, 2), halves: halvesOf(this.handles, memory) }));
  }

  /** How many there are. */
  get count(): number {
    return this.#rows.length;
  }

  /** Entries in the half in which the worker counts, as a part of those that have room. */
  fill(row: number): number {
    const half = this.#halfOf(row, true);
    return half === undefined ? 0 : (half.header[USED] ?? 0) / (this.handles.limits.entries + OTHER_ENTRIES);
  }

  /**
   * Lets the worker count in the other half from now on. False where it is counting in this very moment, and may do so in the old half:
   * that one must not be read before the next call of `isAtRest` says true.
   */
  flip(row: number): boolean {
    const words = this.#rows[row]?.words;
    if (words === undefined) return true;
    Atomics.store(words, ACTIVE, Atomics.load(words, ACTIVE) === 0 ? 1 : 0);
    return this.isAtRest(row);
  }

  isAtRest(row: number): boolean {
    const words = this.#rows[row]?.words;
    return words === undefined || Atomics.load(words, WRITING) === 0;
  }

  /** The worker of this row is gone, be it in the middle of counting. What it has counted stays. */
  endWriting(row: number): void {
    const words = this.#rows[row]?.words;
    if (words !== undefined) Atomics.store(words, WRITING, 0);
  }

  /** What stands in the half in which the worker does not count; `clear` has to follow. */
  *read(row: number): Generator<UsageEntry> {
    const half = this.#halfOf(row, false);
    if (half === undefined) return;
    const used = half.header[USED] ?? 0;
    for (let entry = 0; entry < used; entry++) {
      const read = readEntry(half, entry);
      if (read.requests > 0) yield read;
    }
  }

  /** Empties the half that was read. */
  clear(row: number): void {
    const half = this.#halfOf(row, false);
    if (half === undefined) return;
    const { header, slots, entries } = half;
    const used = header[USED] ?? 0;
    for (let entry = 0; entry < used; entry++) {
      const at = entry * ENTRY_WORDS;
      if (entry >= OTHER_ENTRIES) slots[entries[at + SLOT] ?? 0] = 0;
      entries[at + COUNT] = 0;
      entries[at + LAST] = 0;
    }
    header[TEXT_USED] = 0;
    header[USED] = 0;
  }

  #halfOf(row: number, isActive: boolean): UsageHalf | undefined {
    const found = this.#rows[row];
    if (found === undefined) return undefined;
    const active = Atomics.load(found.words, ACTIVE) === 0;
    return found.halves[active === isActive ? 0 : 1];
  }
}

function readEntry({ entries, texts }: UsageHalf, entry: number): UsageEntry {
  const at = entry * ENTRY_WORDS;
  const requests = entries[at + COUNT] ?? 0;
  const lastUsedAt = entries[at + LAST] ?? 0;
  if (entry < OTHER_ENTRIES) return { consumer: OTHER, credential: OTHER, route: OTHER, status: entry * 100, requests, lastUsedAt };
  const start = entries[at + TEXT] ?? 0;
  const nameEnd = start + (entries[at + CONSUMER_LENGTH] ?? 0);
  const idEnd = nameEnd + (entries[at + CREDENTIAL_LENGTH] ?? 0);
  return {
    consumer: texts.toString('utf8', start, nameEnd),
    credential: texts.toString('utf8', nameEnd, idEnd),
    route: texts.toString('utf8', idEnd, idEnd + (entries[at + ROUTE_LENGTH] ?? 0)),
    status: entries[at + STATUS] ?? 0,
    requests,
    lastUsedAt,
  };
}
