import { headOf, histogramLines, labelsText, type MetricShape, sampleLine } from './exposition-text.ts';

/** One number with its labels, in the order of the metric's. */
export interface MetricReading {
  readonly labels: readonly string[];
  readonly value: number;
}

/** What a registry is told of a metric. */
export interface RegisteredMetric {
  /** `portcullis_` is put before it, but for those of the process. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Series of one metric; what comes beyond is counted in one whose labels are all empty. */
const MAX_SERIES = 1_000;
const MAX_VALUE_LENGTH = 256;

/** The metrics of a process without workers: what is counted, and what is read when somebody asks. */
export class MetricRegistry {
  readonly #texts: (() => string)[] = [];

  /** Adds to a count. Labels in the order of the metric's. */
  counter(metric: RegisteredMetric): (labels: readonly string[], count?: number) => void {
    const shape = shapeOf('counter', metric);
    const series = new Series<{ count: number }>(() => ({ count: 0 }));
    if (shape.labels.length === 0) series.at([]);
    this.#texts.push(
      () => headOf(shape) + series.map((labels, { count }) => sampleLine(shape.name, labelsText(shape.labels, labels), count)),
    );
    return (labels, count = 1) => {
      series.at(labels).count += count;
    };
  }

  /** Observes a value. `buckets` are upper bounds, ascending, without infinity. */
  histogram(metric: RegisteredMetric, buckets: readonly number[]): (labels: readonly string[], value: number) => void {
    const shape = { ...shapeOf('histogram', metric), buckets };
    const series = new Series(() => ({ counts: new Array<number>(buckets.length + 1).fill(0), sum: 0 }));
    if (shape.labels.length === 0) series.at([]);
    this.#texts.push(
      () => headOf(shape) + series.map((labels, { counts, sum }) => histogramLines(shape, labelsText(shape.labels, labels), counts, sum)),
    );
    return (labels, value) => {
      const found = buckets.findIndex((bound) => value <= bound);
      const one = series.at(labels);
      const index = found === -1 ? buckets.length : found;
      one.counts[index] = (one.counts[index] ?? 0) + 1;
      one.sum += value;
    };
  }

  /** Reads it when somebody asks; must be quick. One that throws has no line. */
  gauge(metric: RegisteredMetric, read: () => readonly MetricReading[], kind: 'gauge' | 'counter' = 'gauge'): void {
    const shape = shapeOf(kind, metric);
    const lines = (): string => {
      try {
        const readings = read().slice(0, MAX_SERIES);
        return readings.map(({ labels, value }) => sampleLine(shape.name, labelsText(shape.labels, labels.map(cut)), value)).join('');
      } catch {
        return '';
      }
    };
    this.#texts.push(() => headOf(shape) + lines());
  }

  /** The text, a metric at a time. */
  *pieces(): Generator<string> {
    for (const text of this.#texts) yield text();
  }
}

class Series<State> {
  readonly #byLabels = new Map<string, { readonly labels: readonly string[]; readonly state: State }>();
  readonly #create: () => State;

  constructor(create: () => State) {
    this.#create = create;
  }

  at(values: readonly string[]): State {
    const isFull = this.#byLabels.size >= MAX_SERIES;
    const wanted = values.map(cut);
    const labels = isFull && !this.#byLabels.has(JSON.stringify(wanted)) ? values.map(() => '') : wanted;
    const key = JSON.stringify(labels);
    let found = this.#byLabels.get(key);
    if (found === undefined) {
      found = { labels, state: this.#create() };
      this.#byLabels.set(key, found);
    }
    return found.state;
  }

  map(write: (labels: readonly string[], state: State) => string): string {
    return [...this.#byLabels.values()].map(({ labels, state }) => write(labels, state)).join('');
  }
}

function cut(value: string): string {
  return value.slice(0, MAX_VALUE_LENGTH).toWellFormed();
}

function shapeOf(kind: MetricShape['kind'], { name, help, labels = [] }: RegisteredMetric): MetricShape {
  return { kind, name: name.startsWith('process_') ? name : `portcullis_${name}`, help, labels, buckets: [] };
}
