import type { Clock } from '../../lib/clock.ts';
import type { SharedRecord, SharedRecords } from '../counters.ts';

const FIELDS = 4;

/** Shared records in memory, forgotten when a test's clock says so. */
export class TestRecords implements SharedRecords {
  /** True: the table takes no new record. */
  full = false;
  readonly #clock: Clock;
  readonly #records = new Map<string, { readonly numbers: Int32Array; readonly endsAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  record(key: string, lifetimeMs: number): SharedRecord | undefined {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#records.get(key);
    const alive = known !== undefined && known.endsAtMs > nowMs;
    if (!alive && this.full) return undefined;
    const numbers = alive ? known.numbers : new Int32Array(FIELDS);
    this.#records.set(key, { numbers, endsAtMs: nowMs + lifetimeMs });
    return recordOver(numbers);
  }

  find(key: string): SharedRecord | undefined {
    const known = this.#records.get(key);
    return known !== undefined && known.endsAtMs > this.#clock.monotonicMs() ? recordOver(known.numbers) : undefined;
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  /** The keys of all records that there ever were. */
  get keys(): readonly string[] {
    return [...this.#records.keys()];
  }
}

function recordOver(numbers: Int32Array): SharedRecord {
  const checked = (field: number): number => {
    if (!Number.isInteger(field) || field < 0 || field >= FIELDS) throw new RangeError(`a record has no number ${field}`);
    return field;
  };
  return {
    load: (field) => Atomics.load(numbers, checked(field)),
    store: (field, value) => {
      Atomics.store(numbers, checked(field), value);
    },
    add: (field, amount) => Atomics.add(numbers, checked(field), amount),
    compareExchange: (field, expected, value) => Atomics.compareExchange(numbers, checked(field), expected, value),
  };
}
