import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import {
  type ConnectionView,
  type CounterMetric,
  type CounterSeries,
  definePlugin,
  type LogView,
  type PluginSetup,
} from '../../plugin-kit/index.ts';
import type { ExchangeSeries } from './exchange-series.ts';
import { ERRORS, STREAM_CONNECTIONS } from './metric-definitions.ts';
import { RequestMetrics } from './request-metrics.ts';
import { type PrometheusConfiguration, type PrometheusMetadata, prometheusSchema } from './schema.ts';
import { SeriesTree } from './series-tree.ts';

interface PrometheusState {
  readonly preferName: boolean;
  readonly series: SeriesTree;
  readonly errors: CounterMetric;
  /** Told to scrapers only where there are stream routes. */
  readonly streams: () => CounterMetric;
  readonly errorSeries: Map<string, CounterSeries>;
}

/**
 * Counts finished requests, under APISIX's names, labels and buckets. The text for scrapers is made by the gateway, for all metrics
 * together; what this plugin adds to those is what concerns requests.
 */
export const prometheus = definePlugin<PrometheusConfiguration, PrometheusState>({
  ...prometheusSchema,
  readsHeadLater: false,
  runPolicy: 'prefer-route',
  create: ({ prefer_name: preferName }, setup) => ({
    preferName,
    series: new SeriesTree(new RequestMetrics(setup.metrics, disabledLabelsOf(setup))),
    errors: setup.metrics.counter(ERRORS),
    streams: () => setup.metrics.counter(STREAM_CONNECTIONS),
    errorSeries: new Map(),
  }),
  phases: {
    log: (request, state) => {
      const { route, upstreamAddress } = request;
      const series = state.series.find(
        routeLabel(request, state.preferName),
        serviceLabel(request, state.preferName),
        request.consumer?.username ?? '',
        upstreamAddress ?? '',
      );
      series.status(request.status, route?.pattern ?? '', route?.hostPattern ?? '', request.responseSource).add();
      observeLatency(request, series);
      series.ingress.add(request.bytesFromClient);
      series.egress.add(request.bytesToClient);
      if (request.reason !== undefined) errorsFor(request.reason, state).add();
    },
    closed: (connection, state) => {
      state
        .streams()
        .series([routeLabel(connection, state.preferName)])
        .add();
      if (connection.reason !== undefined) errorsFor(connection.reason, state).add();
    },
  },
});

function disabledLabelsOf({ metadata }: PluginSetup) {
  // The parsing border: the metadata's schema has vouched for its shape.
  const { disabled_labels: disabled = {} }: PrometheusMetadata = metadata ?? {};
  return disabled;
}

function routeLabel({ route }: ConnectionView, preferName: boolean): string {
  if (route === undefined) return '';
  return preferName && route.name !== '' ? route.name : route.id;
}

function serviceLabel({ route }: LogView, preferName: boolean): string {
  if (route === undefined) return '';
  return preferName && route.serviceName !== '' ? route.serviceName : route.serviceId;
}

/** From the head to the end; of that what the upstream took, from the decision on; the rest is the gateway's (APISIX, `latency_details`). */
function observeLatency(request: LogView, series: ExchangeSeries): void {
  const { headReadAtMs, decidedAtMs, finishedAtMs, upstreamAddress } = request;
  // A request of which not even the head arrived took no time that would mean anything.
  const requestMs = headReadAtMs > 0 ? Math.max(0, finishedAtMs - headReadAtMs) : 0;
  series.requestLatency.observe(requestMs);
  if (upstreamAddress === undefined || decidedAtMs === 0) {
    series.gatewayLatency.observe(requestMs);
    return;
  }
  const upstreamMs = Math.max(0, finishedAtMs - decidedAtMs);
  series.upstreamLatency.observe(upstreamMs);
  series.gatewayLatency.observe(Math.max(0, requestMs - upstreamMs));
}

function errorsFor(reason: string, { errors, errorSeries }: PrometheusState): CounterSeries {
  const known = errorSeries.get(reason);
  if (known !== undefined) return known;
  const source = isErrorReason(reason) ? ERROR_CODES[reason].source : '';
  const series = errors.series([reason, source]);
  errorSeries.set(reason, series);
  return series;
}

function isErrorReason(reason: string): reason is ErrorReason {
  return Object.hasOwn(ERROR_CODES, reason);
}
