import type { MetricDefinition } from '../../plugin-kit/index.ts';

/** Every request that a worker has done with, whatever became of it: what it counts without any plugin. */
export const HTTP_REQUESTS: MetricDefinition = {
  name: 'apisix_http_requests_total',
  help: 'The total number of client requests since the gateway started',
  labels: [],
};
