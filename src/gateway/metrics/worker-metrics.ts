import type { CounterMetric, GaugeMetric, HistogramMetric, MetricDefinition, Metrics } from '../../plugin-kit/index.ts';
import { EntryTable } from './entry-table.ts';
import { LoopLag } from './loop-lag.ts';
import { cellsOfSeries, type MetricKind, type MetricShape, metricShape, SHAPE_MARK, shapeOfText, textOfShape } from './metric-shape.ts';
import { LAG_CELL, type MetricsHandles, OWN_SERIES_CELL, rowOf, TAKEN_CELL } from './metrics-handles.ts';
import { CounterCell, GaugeCell, HistogramCells } from './series.ts';
import { SeriesFinder, type SeriesPlace } from './series-finder.ts';

type AnyMetric = CounterMetric | GaugeMetric | HistogramMetric;

/**
 * A worker's side of the metrics: it counts in a row of numbers that is its own, which the agent adds to those of the others. What a worker
 * has counted stays when it dies; the next one in its row goes on from there.
 */
export class WorkerMetrics implements Metrics {
  readonly #handles: MetricsHandles;
  readonly #table: EntryTable;
  readonly #row: Float64Array;
  readonly #metrics = new Map<string, AnyMetric>();

  constructor(handles: MetricsHandles, row: number) {
    this.#handles = handles;
    this.#table = new EntryTable(handles);
    this.#row = rowOf(handles, row);
    this.#row[TAKEN_CELL] = 1;
  }

  /** Measures the worker's event loop, for the agent, by a beat that comes every `everyMs`. */
  loopLag(everyMs: number): LoopLag {
    return new LoopLag(this.#row, LAG_CELL, everyMs);
  }

  /** @throws TypeError for a definition that cannot be, or differs from one of the same name; RangeError where there are too many */
  counter(definition: MetricDefinition): CounterMetric {
    return this.#metric('counter', definition, [], (shape) => {
      const finder = this.#finder(shape, (place) => new CounterCell(this.#row, place));
      return { add: (values, amount) => finder.find(values).add(amount), series: (values) => finder.find(values) };
    });
  }

  /** @throws as `counter` */
  gauge(definition: MetricDefinition): GaugeMetric {
    return this.#metric('gauge', definition, [], (shape) => {
      const finder = this.#finder(shape, (place) => new GaugeCell(this.#row, place));
      return { set: (values, value) => finder.find(values).set(value) };
    });
  }

  /** @throws as `counter` */
  histogram(definition: MetricDefinition, buckets: readonly number[]): HistogramMetric {
    return this.#metric('histogram', definition, buckets, (shape) => {
      const finder = this.#finder(shape, (place) => new HistogramCells(this.#row, place, shape.buckets));
      return { observe: (values, value) => finder.find(values).observe(value), series: (values) => finder.find(values) };
    });
  }

  #metric<Metric extends AnyMetric>(
    kind: MetricKind,
    definition: MetricDefinition,
    buckets: readonly number[],
    create: (shape: MetricShape) => Metric,
  ): Metric {
    const shape = metricShape(kind, definition, buckets);
    const key = textOfShape(shape);
    // A text names the kind too, so what is found under it has the right type.
    const known = this.#metrics.get(key) as Metric | undefined;
    if (known !== undefined) return known;
    const metric = create(shape);
    this.#metrics.set(key, metric);
    return metric;
  }

  #finder<Series>(shape: MetricShape, create: (place: SeriesPlace) => Series): SeriesFinder<Series> {
    const { series } = this.#handles.limits;
    return new SeriesFinder({
      table: this.#table,
      row: this.#row,
      shape,
      metric: this.#entryOf(shape),
      maxRemembered: series * 2,
      create,
    });
  }

  #entryOf(shape: MetricShape): number {
    const text = textOfShape(shape);
    for (const other of this.#table.texts(SHAPE_MARK)) {
      if (other !== text && shapeOfText(other).name === shape.name) throw new TypeError(`there is another metric named ${shape.name}`);
    }
    const gauge = shape.kind === 'gauge' ? OWN_SERIES_CELL : undefined;
    const entry = this.#table.findOrAdd('metrics', text, { count: OWN_SERIES_CELL + cellsOfSeries(shape), gauge });
    if (entry === 0) throw new RangeError(`there is no room for the metric ${shape.name}`);
    return entry;
  }
}
