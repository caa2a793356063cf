import type { Random } from '../../lib/random.ts';
import { type CounterHandles, CounterRegion, DEFAULT_REGION_BYTES, MIN_REGION_BYTES } from './counter-region.ts';
import { HASH_SECRET_BYTES } from './keyed-hash.ts';

/** Slots that are looked at to tell how full the region is: with more than that in the region, the answer is an estimate within 2 %. */
const LOOKS = 8192;

/** How full the region is, for metrics. */
export interface CounterUsage {
  readonly bytes: number;
  /** Windows and buckets that fit. */
  readonly capacity: number;
  /** The share of them that holds one that has not expired, from 0 to 1. */
  readonly fill: number;
  /** The share that is at its limit and so stays until it expires. */
  readonly exhausted: number;
  /** Windows and buckets below their limit that made way before they expired. */
  readonly evictions: number;
  /** Records that made way before they expired. */
  readonly recordEvictions: number;
  /** Requests that could not be counted because nothing could make way. */
  readonly unavailable: number;
}

/** What the tables are made for. */
export interface CounterTablesOptions {
  /** `DEFAULT_REGION_BYTES` unless said; never grows. */
  readonly bytes?: number;
  /** Most worker threads at once. */
  readonly rows: number;
  readonly random: Random;
  /** The machine's monotonic milliseconds and the time of day, both now. */
  readonly nowMs: number;
  readonly wallMs: number;
}

/** The counters of an instance, as the agent owns them. Made once for the life of the process. */
export class CounterTables {
  readonly handles: CounterHandles;
  readonly #region: CounterRegion;

  /** @throws RangeError for fewer than `MIN_REGION_BYTES` */
  constructor(options: CounterTablesOptions) {
    const { bytes = DEFAULT_REGION_BYTES, rows, random, nowMs, wallMs } = options;
    if (bytes < MIN_REGION_BYTES) throw new RangeError(`the region of counters needs ${MIN_REGION_BYTES} bytes`);
    this.handles = {
      shared: new SharedArrayBuffer(bytes),
      rows,
      secret: Uint8Array.from(random.bytes(HASH_SECRET_BYTES)),
      wallOffsetMs: Math.round(wallMs - nowMs),
    };
    this.#region = new CounterRegion(this.handles);
  }

  /** The worker of this row is gone, and what it had in flight with it. */
  clearRow(row: number): void {
    this.#region.inFlight.clearRow(row);
  }

  /** `nowMs` is the machine's monotonic time. Takes less than a millisecond, whatever the size. */
  usage(nowMs: number): CounterUsage {
    const { counters } = this.#region;
    const { looked, live, exhausted } = counters.sample(nowMs, LOOKS);
    return {
      bytes: this.handles.shared.byteLength,
      capacity: counters.slots.slots,
      fill: live / looked,
      exhausted: exhausted / looked,
      evictions: this.#region.tally('evictions'),
      recordEvictions: this.#region.tally('recordEvictions'),
      unavailable: this.#region.tally('unavailable'),
    };
  }
}
