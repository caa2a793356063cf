import type { MetricDefinition } from '../../plugin-kit/index.ts';

/** Metrics whose labels the metadata can switch off, with their names there. */
export type RequestMetric = 'http_status' | 'http_latency' | 'bandwidth';

const REQUEST_LABELS = ['route', 'service', 'consumer', 'node', 'request_type', 'request_llm_model', 'llm_model'] as const;

/** Requests by the status that the client got. */
export const HTTP_STATUS: MetricDefinition = {
  name: 'apisix_http_status',
  help: 'HTTP status codes per service in APISIX',
  labels: [
    'code',
    'route',
    'matched_uri',
    'matched_host',
    'service',
    'consumer',
    'node',
    'request_type',
    'request_llm_model',
    'llm_model',
    'response_source',
  ],
};

/** Connections on stream routes, of UDP sessions, that are over. */
export const STREAM_CONNECTIONS: MetricDefinition = {
  name: 'apisix_stream_connection_total',
  help: 'Total number of connections handled per stream route in APISIX',
  labels: ['route'],
};

/** How long requests took: all in all, at the upstream, and in the gateway. */
export const HTTP_LATENCY: MetricDefinition = {
  name: 'apisix_http_latency',
  help: 'HTTP request latency in milliseconds per service in APISIX',
  labels: ['type', ...REQUEST_LABELS],
};

/** Bytes from and to clients, heads and bodies. */
export const BANDWIDTH: MetricDefinition = {
  name: 'apisix_bandwidth',
  help: 'Total bandwidth in bytes consumed per service in APISIX',
  labels: ['type', ...REQUEST_LABELS],
};

/** Why the gateway answered requests itself, or cut them: rows of the table of errors. */
export const ERRORS: MetricDefinition = {
  name: 'errors_total',
  help: 'Requests that failed, by the reason in the access log and who is to blame',
  labels: ['reason', 'source'],
};

/** Upper bounds in milliseconds: APISIX's defaults. */
export const LATENCY_BUCKETS_MS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/** The metrics whose labels can be switched off. */
export const REQUEST_METRICS: readonly { readonly key: RequestMetric; readonly definition: MetricDefinition }[] = [
  { key: 'http_status', definition: HTTP_STATUS },
  { key: 'http_latency', definition: HTTP_LATENCY },
  { key: 'bandwidth', definition: BANDWIDTH },
];
