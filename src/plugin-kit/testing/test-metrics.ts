import assert from 'node:assert/strict';
import type { CounterMetric, CounterSeries, GaugeMetric, HistogramMetric, HistogramSeries, MetricDefinition, Metrics } from '../metrics.ts';

/** A metric as it was defined. */
export interface DefinedMetric extends MetricDefinition {
  /** Of a histogram. */
  readonly buckets?: readonly number[];
}

/** Metrics that can be read. */
export class TestMetrics implements Metrics {
  /** By name, as they were defined. */
  readonly definitions = new Map<string, DefinedMetric>();
  readonly #values = new Map<string, number>();
  readonly #observations = new Map<string, number[]>();

  counter(definition: MetricDefinition): CounterMetric {
    this.#define(definition);
    const series = (labelValues: readonly string[]): CounterSeries => {
      const key = keyOf(definition, labelValues);
      return { add: (amount = 1) => void this.#values.set(key, (this.#values.get(key) ?? 0) + amount) };
    };
    return { series, add: (labelValues, amount) => series(labelValues).add(amount) };
  }

  gauge(definition: MetricDefinition): GaugeMetric {
    this.#define(definition);
    return { set: (labelValues, value) => void this.#values.set(keyOf(definition, labelValues), value) };
  }

  histogram(definition: MetricDefinition, buckets: readonly number[]): HistogramMetric {
    this.#define({ ...definition, buckets });
    const series = (labelValues: readonly string[]): HistogramSeries => {
      const key = keyOf(definition, labelValues);
      return { observe: (value) => void this.#observations.set(key, [...(this.#observations.get(key) ?? []), value]) };
    };
    return { series, observe: (labelValues, value) => series(labelValues).observe(value) };
  }

  /** What a counter or gauge stands at; undefined where it was never touched with these labels. */
  value(name: string, labelValues: readonly string[] = []): number | undefined {
    return this.#values.get(JSON.stringify([name, ...labelValues]));
  }

  /** What a histogram was told under these labels, in order. */
  observations(name: string, labelValues: readonly string[] = []): readonly number[] {
    return this.#observations.get(JSON.stringify([name, ...labelValues])) ?? [];
  }

  #define(definition: DefinedMetric): void {
    const known = this.definitions.get(definition.name);
    if (known !== undefined) assert.deepEqual(known, definition, 'the same name has the same definition');
    this.definitions.set(definition.name, definition);
  }
}

function keyOf(definition: MetricDefinition, labelValues: readonly string[]): string {
  assert.equal(labelValues.length, definition.labels.length, `${definition.name} has the labels ${definition.labels.join(', ')}`);
  return JSON.stringify([definition.name, ...labelValues]);
}
