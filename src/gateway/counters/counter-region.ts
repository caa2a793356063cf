import { CounterSlots } from './counter-slots.ts';
import { InFlightSlots } from './in-flight-slots.ts';
import { RecordSlots } from './record-slots.ts';

/** Memory for counters unless the settings say otherwise. */
export const DEFAULT_REGION_BYTES = 64 * 1024 * 1024;
/** Less is not worth having. */
export const MIN_REGION_BYTES = 256 * 1024;

/** Counted since the process began. */
const TALLIES = ['evictions', 'recordEvictions', 'unavailable'] as const;
export type Tally = (typeof TALLIES)[number];

const TALLY_BYTES = 64;
/** All parts begin with a cache line. */
const ALIGNMENT = 64;
/** The share of the region that is for what is in flight, and as much again for records; the rest is for windows and buckets. */
const SHARE = 1 / 8;

/** What a worker needs to count with the others. Can be posted. */
export interface CounterHandles {
  readonly shared: SharedArrayBuffer;
  /** Most worker threads at once. */
  readonly rows: number;
  /** Of the hashes. Never leaves the process. */
  readonly secret: Uint8Array;
  /** From the machine's monotonic time to the time of day, as it was when the process began; whole milliseconds. */
  readonly wallOffsetMs: number;
}

/** The parts of the one region of fixed size in which all counters of an instance lie, as one thread sees them. */
export class CounterRegion {
  readonly counters: CounterSlots;
  readonly inFlight: InFlightSlots;
  readonly records: RecordSlots;
  readonly #tallies: BigInt64Array;

  /** @throws RangeError where the region is too small for the number of rows */
  constructor({ shared, rows }: Pick<CounterHandles, 'shared' | 'rows'>) {
    const shareBytes = Math.floor((shared.byteLength * SHARE) / ALIGNMENT) * ALIGNMENT;
    const counterBytes = Math.floor((shared.byteLength - TALLY_BYTES - 2 * shareBytes) / ALIGNMENT) * ALIGNMENT;
    this.#tallies = new BigInt64Array(shared, 0, TALLIES.length);
    this.counters = new CounterSlots(shared, TALLY_BYTES, counterBytes);
    this.inFlight = new InFlightSlots(shared, TALLY_BYTES + counterBytes, shareBytes, rows);
    this.records = new RecordSlots(shared, TALLY_BYTES + counterBytes + shareBytes, shareBytes);
    this.counters.slots.onEvicted = () => this.add('evictions');
    this.records.slots.onEvicted = () => this.add('recordEvictions');
  }

  add(tally: Tally): void {
    Atomics.add(this.#tallies, TALLIES.indexOf(tally), 1n);
  }

  tally(tally: Tally): number {
    return Number(Atomics.load(this.#tallies, TALLIES.indexOf(tally)));
  }
}
