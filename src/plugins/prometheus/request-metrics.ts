import type { CounterMetric, CounterSeries, HistogramMetric, HistogramSeries, Metrics } from '../../plugin-kit/index.ts';
import { BANDWIDTH, HTTP_LATENCY, HTTP_STATUS, LATENCY_BUCKETS_MS, type RequestMetric } from './metric-definitions.ts';

/** What requests have in common that are counted in the same places. */
export interface ExchangeLabels {
  readonly route: string;
  readonly service: string;
  readonly consumer: string;
  /** Address and port; `''` where no node was asked. */
  readonly node: string;
}

/** What tells them apart in the metric of their statuses. */
export interface StatusLabels {
  readonly status: number;
  readonly pattern: string;
  readonly hostPattern: string;
  readonly source: 'upstream' | 'apisix' | 'nginx';
}

/** Label names by metric, as the metadata has them. */
export type DisabledLabels = Readonly<Record<string, readonly string[] | undefined>>;

/** There are no requests of another type: APISIX's other two are of its plugins for language models. */
const REQUEST_TYPE = 'traditional_http';
/** What nginx logs, and APISIX exports, when the client went away before there was an answer. */
const NO_ANSWER = '499';

/** The series of APISIX's three metrics of requests. Labels that the metadata switches off are empty. */
export class RequestMetrics {
  readonly #status: CounterMetric;
  readonly #latency: HistogramMetric;
  readonly #bandwidth: CounterMetric;
  readonly #disabled: DisabledLabels;

  constructor(metrics: Metrics, disabled: DisabledLabels) {
    this.#status = metrics.counter(HTTP_STATUS);
    this.#latency = metrics.histogram(HTTP_LATENCY, LATENCY_BUCKETS_MS);
    this.#bandwidth = metrics.counter(BANDWIDTH);
    this.#disabled = disabled;
  }

  status({ status, pattern, hostPattern, source }: StatusLabels, labels: ExchangeLabels): CounterSeries {
    const code = status === 0 ? NO_ANSWER : String(status);
    const own = { code, matched_uri: pattern, matched_host: hostPattern, response_source: source };
    return this.#status.series(this.#values('http_status', HTTP_STATUS.labels, { ...own, ...commonValues(labels) }));
  }

  latency(type: 'request' | 'upstream' | 'apisix', labels: ExchangeLabels): HistogramSeries {
    return this.#latency.series(this.#values('http_latency', HTTP_LATENCY.labels, { type, ...commonValues(labels) }));
  }

  bandwidth(type: 'ingress' | 'egress', labels: ExchangeLabels): CounterSeries {
    return this.#bandwidth.series(this.#values('bandwidth', BANDWIDTH.labels, { type, ...commonValues(labels) }));
  }

  #values(metric: RequestMetric, names: readonly string[], values: Readonly<Record<string, string>>): readonly string[] {
    const disabled = this.#disabled[metric] ?? [];
    return names.map((name) => (disabled.includes(name) ? '' : (values[name] ?? '')));
  }
}

function commonValues({ route, service, consumer, node }: ExchangeLabels): Readonly<Record<string, string>> {
  return { route, service, consumer, node: hostOf(node), request_type: REQUEST_TYPE };
}

/** An address without its port, and without brackets. */
function hostOf(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf(':'))).replace(/^\[|\]$/g, '');
}
