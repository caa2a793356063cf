import type { CounterSeries, HistogramSeries } from '../../plugin-kit/index.ts';
import type { SeriesPlace } from './series-finder.ts';

/** A counter's number in the row of one worker. Nobody else writes there, so plain stores will do. */
export class CounterCell implements CounterSeries {
  readonly #row: Float64Array;
  readonly #cell: number;
  readonly #beyond: number;

  constructor(row: Float64Array, { cell, beyond }: SeriesPlace) {
    this.#row = row;
    this.#cell = cell;
    this.#beyond = beyond;
  }

  add(amount = 1): void {
    // False for NaN too, which would stay in the sum for ever.
    if (!(amount >= 0 && amount < Number.POSITIVE_INFINITY)) return;
    const row = this.#row;
    row[this.#cell] = (row[this.#cell] ?? 0) + amount;
    if (this.#beyond !== 0) row[this.#beyond] = (row[this.#beyond] ?? 0) + 1;
  }
}

/** A gauge's number in the row of one worker. */
export class GaugeCell {
  readonly #row: Float64Array;
  readonly #cell: number;
  readonly #beyond: number;

  constructor(row: Float64Array, { cell, beyond }: SeriesPlace) {
    this.#row = row;
    this.#cell = cell;
    this.#beyond = beyond;
  }

  set(value: number): void {
    if (!Number.isFinite(value)) return;
    const row = this.#row;
    row[this.#cell] = value;
    if (this.#beyond !== 0) row[this.#beyond] = (row[this.#beyond] ?? 0) + 1;
  }
}

/** A histogram's numbers in the row of one worker: how many fell into each bucket alone, how many beyond them all, the sum. */
export class HistogramCells implements HistogramSeries {
  readonly #row: Float64Array;
  readonly #cell: number;
  readonly #beyond: number;
  readonly #buckets: readonly number[];

  constructor(row: Float64Array, { cell, beyond }: SeriesPlace, buckets: readonly number[]) {
    this.#row = row;
    this.#cell = cell;
    this.#beyond = beyond;
    this.#buckets = buckets;
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    const buckets = this.#buckets;
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] ?? 0)) bucket++;
    const row = this.#row;
    const counted = this.#cell + bucket;
    const sum = this.#cell + buckets.length + 1;
    row[counted] = (row[counted] ?? 0) + 1;
    row[sum] = (row[sum] ?? 0) + value;
    if (this.#beyond !== 0) row[this.#beyond] = (row[this.#beyond] ?? 0) + 1;
  }
}
