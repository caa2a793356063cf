import type { EntryTable } from './entry-table.ts';
import { cleanValues, joinLabels, seriesText } from './label-text.ts';
import { cellsOfSeries, type MetricShape } from './metric-shape.ts';
import { BEYOND_CELL, OWN_SERIES_CELL, USED_CELL } from './metrics-handles.ts';

/** Where a series is counted. */
export interface SeriesPlace {
  /** The first of its cells in the worker's row. */
  readonly cell: number;
  /** The cell that counts what went to the series of empty labels for want of room; 0 for a series with room of its own. */
  readonly beyond: number;
}

/** What a finder needs of the worker whose series it finds. */
export interface FinderOptions<Series> {
  readonly table: EntryTable;
  readonly row: Float64Array;
  readonly shape: MetricShape;
  /** The metric's own entry. */
  readonly metric: number;
  /** Most label sets that are remembered: all that can have room, and as many again without. */
  readonly maxRemembered: number;
  readonly create: (place: SeriesPlace) => Series;
}

/** The series of one metric as one worker finds them: quick for label sets it has seen. */
export class SeriesFinder<Series> {
  readonly #options: FinderOptions<Series>;
  readonly #remembered = new Map<string, Series>();

  constructor(options: FinderOptions<Series>) {
    this.#options = options;
  }

  /** @throws TypeError where there are not as many values as the metric has labels: a fault of the code that counts */
  find(values: readonly string[]): Series {
    return this.#remembered.get(joinLabels(values)) ?? this.#look(values);
  }

  #look(values: readonly string[]): Series {
    const { shape, maxRemembered, create } = this.#options;
    if (values.length !== shape.labels.length) throw new TypeError(`${shape.name} has ${shape.labels.length} labels, not ${values.length}`);
    const joined = joinLabels(cleanValues(values));
    const known = this.#remembered.get(joined);
    if (known !== undefined) return known;
    const series = create(this.#placeOf(joined, values.every((value) => value === ''))); // biome-ignore format: one thought
    if (this.#remembered.size < maxRemembered) this.#remembered.set(joined, series);
    return series;
  }

  /** The series of empty labels has its place with the metric itself: whatever is full, that one is there. */
  #placeOf(joined: string, isEmpty: boolean): SeriesPlace {
    const { table, row, shape, metric } = this.#options;
    const cells = { count: cellsOfSeries(shape), gauge: shape.kind === 'gauge' ? 0 : undefined };
    const entry = isEmpty ? 0 : table.findOrAdd('series', seriesText(metric, joined), cells);
    if (entry !== 0) return { cell: table.cellOf(entry), beyond: 0 };
    const own = table.cellOf(metric);
    row[own + USED_CELL] = 1;
    return { cell: own + OWN_SERIES_CELL, beyond: isEmpty ? 0 : own + BEYOND_CELL };
  }
}
