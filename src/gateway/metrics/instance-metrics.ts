import { headOf, histogramLines, labelsText, sampleLine } from '../../observability/index.ts';
import type { MetricDefinition } from '../../plugin-kit/index.ts';
import { type MetricKind, type MetricShape, metricShape } from './metric-shape.ts';
import { createMetricsHandles, LAG_CELL, METRICS_LIMITS, type MetricsHandles, type MetricsLimits, rowOf } from './metrics-handles.ts';
import { type CataloguedSeries, type MetricFamily, SeriesCatalogue } from './series-catalogue.ts';

/** One number that the agent knows, with its labels in the order of the definition. */
export interface GaugeReading {
  readonly labels: readonly string[];
  readonly value: number;
}

/** Reads a metric when somebody asks for it. Must be quick; one that throws is left out and counted. */
export type ReadGauge = () => readonly GaugeReading[];

interface RegisteredMetric {
  readonly shape: MetricShape;
  readonly read: ReadGauge;
}

/** Lines that are written between two breaths. */
const LINES_AT_ONCE = 100;

/** All metrics of an instance as its agent sees them: what the workers count in shared memory, and what the agent itself can read. */
export class InstanceMetrics {
  /** To be given to each worker. */
  readonly handles: MetricsHandles;
  readonly #catalogue: SeriesCatalogue;
  readonly #registered: RegisteredMetric[] = [];
  readonly #mostReadings: number;
  /** Readings for which there was no room, by the metric. */
  readonly #leftOut = new Map<string, number>();
  #failures = 0;

  /** `rows`: worker threads that may be there at once. */
  constructor(rows: number, limits: MetricsLimits = METRICS_LIMITS) {
    this.handles = createMetricsHandles(rows, limits);
    this.#catalogue = new SeriesCatalogue(this.handles);
    this.#mostReadings = limits.series;
    this.#registerOwn(limits);
  }

  /** Adds a metric that is read when somebody asks. Of its label sets, the first as many are told as there may be series. @throws TypeError for a definition that cannot be */
  registerGauge(definition: MetricDefinition, read: ReadGauge): void {
    this.#register('gauge', definition, read);
  }

  /** As `registerGauge`, for what only rises while the process lives. */
  registerCounter(definition: MetricDefinition, read: ReadGauge): void {
    this.#register('counter', definition, read);
  }

  /** The worker thread of this row has ended. */
  clearRow(row: number): void {
    rowOf(this.handles, row)[LAG_CELL] = 0;
    this.#catalogue.clearRow(row);
  }

  /** How late the timers of the worker in this row were at worst in the last half minute. */
  loopLagMs(row: number): number {
    return rowOf(this.handles, row)[LAG_CELL] ?? 0;
  }

  /** The text of all metrics, in small pieces, some of them empty: between any two others may have their turn. */
  *pieces(): Generator<string> {
    for (const _ of this.#catalogue.refresh()) yield '';
    for (const metric of this.#registered) yield* registeredPieces(metric.shape, this.#readingsOf(metric));
    for (const family of this.#catalogue.families) yield* this.#familyPieces(family);
  }

  *#familyPieces({ shape, series }: MetricFamily): Generator<string> {
    if (series.length === 0) return;
    yield headOf(shape);
    let text = '';
    for (const [index, each] of series.entries()) {
      text += this.#seriesLines(shape, each);
      if (shape.kind !== 'histogram' && index % LINES_AT_ONCE !== 0) continue;
      yield text;
      text = '';
    }
    yield text;
  }

  #seriesLines(shape: MetricShape, { labels, cell }: CataloguedSeries): string {
    if (shape.kind !== 'histogram') return sampleLine(shape.name, labels, this.#catalogue.sum(cell));
    const counts = Array.from({ length: shape.buckets.length + 1 }, (_, bucket) => this.#catalogue.sum(cell + bucket));
    return histogramLines(shape, labels, counts, this.#catalogue.sum(cell + counts.length));
  }

  #readingsOf({ shape, read }: RegisteredMetric): readonly GaugeReading[] {
    try {
      const readings = read();
      const beyond = readings.length - this.#mostReadings;
      if (beyond <= 0) return readings;
      this.#leftOut.set(shape.name, (this.#leftOut.get(shape.name) ?? 0) + beyond);
      return readings.slice(0, this.#mostReadings);
    } catch {
      this.#failures++;
      return [];
    }
  }

  #register(kind: MetricKind, definition: MetricDefinition, read: ReadGauge): void {
    const shape = metricShape(kind, definition);
    if (this.#registered.some((other) => other.shape.name === shape.name))
      throw new TypeError(`there is another metric named ${shape.name}`);
    this.#registered.push({ shape, read });
  }

  /** What the metrics themselves have to say. */
  #registerOwn({ series }: MetricsLimits): void {
    const beyond = (): readonly GaugeReading[] =>
      [...this.#catalogue.beyond(), ...this.#leftOut].flatMap(([name, value]) => (value === 0 ? [] : [{ labels: [name], value }]));
    this.registerGauge({ name: 'metric_series', help: 'Label sets of all metrics that workers count', labels: [] }, () => [
      { labels: [], value: this.#catalogue.size },
    ]);
    this.registerGauge({ name: 'metric_series_limit', help: 'Most label sets that there can be', labels: [] }, () => [
      { labels: [], value: series },
    ]);
    const help =
      'Updates that were counted under empty labels, and readings that were left out, because there is no room for another label set';
    this.registerCounter({ name: 'metric_updates_beyond_limit_total', help, labels: ['metric'] }, beyond);
    this.registerCounter({ name: 'apisix_nginx_metric_errors_total', help: 'Failures in counting or reading metrics', labels: [] }, () => [
      { labels: [], value: beyond().reduce((sum, { value }) => sum + value, this.#failures) },
    ]);
  }
}

function* registeredPieces(shape: MetricShape, readings: readonly GaugeReading[]): Generator<string> {
  if (readings.length === 0) return;
  yield headOf(shape);
  for (const [index, { labels, value }] of readings.entries()) {
    yield sampleLine(shape.name, labelsText(shape.labels, labels), value);
    if (index % LINES_AT_ONCE === 0) yield '';
  }
}
