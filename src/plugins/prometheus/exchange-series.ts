import type { CounterSeries, HistogramSeries } from '../../plugin-kit/index.ts';
import { mapIn } from './map-in.ts';
import type { ExchangeLabels, RequestMetrics, StatusLabels } from './request-metrics.ts';

const SOURCES: readonly StatusLabels['source'][] = ['upstream', 'apisix', 'nginx'];

/** The series of requests that have route, service, consumer and node in common. Each is looked up when it is first needed, and kept. */
export class ExchangeSeries {
  readonly #metrics: RequestMetrics;
  readonly #labels: ExchangeLabels;
  /** By pattern, host pattern, and status with source. */
  readonly #statuses = new Map<string, Map<string, Map<number, CounterSeries>>>();
  #lastPattern: string | undefined;
  #lastHostPattern: string | undefined;
  #lastByCode = new Map<number, CounterSeries>();
  #lastCode = 0;
  #lastStatus: CounterSeries | undefined;
  #request: HistogramSeries | undefined;
  #upstream: HistogramSeries | undefined;
  #gateway: HistogramSeries | undefined;
  #ingress: CounterSeries | undefined;
  #egress: CounterSeries | undefined;

  constructor(metrics: RequestMetrics, labels: ExchangeLabels) {
    this.#metrics = metrics;
    this.#labels = labels;
  }

  get requestLatency(): HistogramSeries {
    this.#request ??= this.#metrics.latency('request', this.#labels);
    return this.#request;
  }

  get upstreamLatency(): HistogramSeries {
    this.#upstream ??= this.#metrics.latency('upstream', this.#labels);
    return this.#upstream;
  }

  get gatewayLatency(): HistogramSeries {
    this.#gateway ??= this.#metrics.latency('apisix', this.#labels);
    return this.#gateway;
  }

  get ingress(): CounterSeries {
    this.#ingress ??= this.#metrics.bandwidth('ingress', this.#labels);
    return this.#ingress;
  }

  get egress(): CounterSeries {
    this.#egress ??= this.#metrics.bandwidth('egress', this.#labels);
    return this.#egress;
  }

  status(status: number, pattern: string, hostPattern: string, source: StatusLabels['source']): CounterSeries {
    if (pattern !== this.#lastPattern || hostPattern !== this.#lastHostPattern) {
      this.#lastByCode = mapIn(mapIn(this.#statuses, pattern), hostPattern);
      this.#lastPattern = pattern;
      this.#lastHostPattern = hostPattern;
      this.#lastStatus = undefined;
    }
    const code = status * SOURCES.length + SOURCES.indexOf(source);
    if (code === this.#lastCode && this.#lastStatus !== undefined) return this.#lastStatus;
    const byCode = this.#lastByCode;
    const series = byCode.get(code) ?? this.#metrics.status({ status, pattern, hostPattern, source }, this.#labels);
    byCode.set(code, series);
    this.#lastCode = code;
    this.#lastStatus = series;
    return series;
  }
}
