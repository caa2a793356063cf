/**
 * Names a metric: the name, a sentence, and the names of its labels in order. `portcullis_` is put before the name, except before one that
 * begins with `apisix_`.
 */
export interface MetricDefinition {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** One label set of a counter. Adds 1 unless said; what is negative or no number is left out. */
export interface CounterSeries {
  add(amount?: number): void;
}

/** One label set of a histogram. What is no number is left out. */
export interface HistogramSeries {
  observe(value: number): void;
}

/** Counts up. The number of label sets is bounded: what comes beyond is counted under one set of empty labels, and that is a metric too. */
export interface CounterMetric {
  add(labelValues: readonly string[], amount?: number): void;
  /** To be kept by who counts a label set often: finding it costs some hundred nanoseconds, counting in it a few. */
  series(labelValues: readonly string[]): CounterSeries;
}

export interface GaugeMetric {
  set(labelValues: readonly string[], value: number): void;
}

export interface HistogramMetric {
  observe(labelValues: readonly string[], value: number): void;
  /** As that of a counter. */
  series(labelValues: readonly string[]): HistogramSeries;
}

/** Metrics of the instance, summed over its workers when they are scraped. The same definition gives the same metric. */
export interface Metrics {
  counter(definition: MetricDefinition): CounterMetric;
  gauge(definition: MetricDefinition): GaugeMetric;
  /** `buckets`: upper bounds, ascending, without infinity. */
  histogram(definition: MetricDefinition, buckets: readonly number[]): HistogramMetric;
}
