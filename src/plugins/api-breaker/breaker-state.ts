import type { SharedRecord, SharedRecords } from '../../plugin-kit/index.ts';

/** Numbers of a record. */
const FAILURES = 0;
const SUCCESSES = 1;
/** When it was opened last, in seconds and one more: 0 is never. */
const OPENED = 2;

/** Failures that nobody adds to are forgotten after a day, or two of the longest breaks. APISIX forgets them when its memory is full. */
const KEPT_MS = 86_400_000;

export interface BreakerSettings {
  readonly maxOpenS: number;
  readonly failures: number;
  readonly successes: number;
}

/**
 * How a path is doing, by all workers of the instance (APISIX, api-breaker). Nothing is kept of a path that never failed. Times are whole
 * seconds, as in APISIX.
 */
export class BreakerState {
  readonly #records: SharedRecords;
  readonly #settings: BreakerSettings;

  constructor(records: SharedRecords, settings: BreakerSettings) {
    this.#records = records;
    this.#settings = settings;
  }

  isOpen(path: string): boolean {
    const record = this.#records.find(path);
    const opened = record?.load(OPENED) ?? 0;
    if (record === undefined || opened === 0) return false;
    return opened + this.#openSeconds(record.load(FAILURES)) >= this.#now();
  }

  /** Opens whenever the sum of failures is a multiple of `failures`. */
  noteFailure(path: string): void {
    const record = this.#records.record(path, Math.max(KEPT_MS, this.#settings.maxOpenS * 2000));
    if (record === undefined) return;
    const failures = record.add(FAILURES, 1) + 1;
    record.store(SUCCESSES, 0);
    if (failures % this.#settings.failures === 0) record.store(OPENED, this.#now());
  }

  /** Enough of them make everything forgotten. They count only once something has failed. */
  noteSuccess(path: string): void {
    const record = this.#records.find(path);
    if (record === undefined || record.load(FAILURES) === 0) return;
    if (record.add(SUCCESSES, 1) + 1 >= this.#settings.successes) forget(record);
  }

  /** 2, 4, 8 … with each time that it opened. */
  #openSeconds(failures: number): number {
    const times = Math.max(1, Math.floor(failures / this.#settings.failures));
    return Math.min(2 ** times, this.#settings.maxOpenS);
  }

  #now(): number {
    return Math.floor(this.#records.nowMs() / 1000) + 1;
  }
}

function forget(record: SharedRecord): void {
  record.store(OPENED, 0);
  record.store(FAILURES, 0);
  record.store(SUCCESSES, 0);
}
