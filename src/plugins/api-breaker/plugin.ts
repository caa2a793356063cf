import { definePlugin, type LogView, type PluginAnswer, type RequestView } from '../../plugin-kit/index.ts';
import { breakAnswer } from './break-answer.ts';
import { BreakerState } from './breaker-state.ts';
import { type ApiBreakerConfiguration, apiBreakerSchema } from './schema.ts';

interface ApiBreakerState {
  readonly breaker: BreakerState;
  readonly answer: (request: RequestView) => PluginAnswer;
  readonly unhealthy: ReadonlySet<number>;
  readonly healthy: ReadonlySet<number>;
}

/** Keeps requests for a while from an upstream that fails. As APISIX's api-breaker. */
export const apiBreaker = definePlugin<ApiBreakerConfiguration, ApiBreakerState>({
  ...apiBreakerSchema,
  readsHeadLater: false,
  create: (configuration, { records }) => ({
    breaker: new BreakerState(records, {
      maxOpenS: configuration.max_breaker_sec,
      failures: configuration.unhealthy.failures,
      successes: configuration.healthy.successes,
    }),
    answer: breakAnswer(configuration),
    unhealthy: new Set(configuration.unhealthy.http_statuses),
    healthy: new Set(configuration.healthy.http_statuses),
  }),
  phases: {
    access: (request, { breaker, answer }) => (breaker.isOpen(pathOf(request)) ? answer(request) : undefined),
    log: (request, { breaker, unhealthy, healthy }) => {
      const status = upstreamStatusOf(request);
      if (unhealthy.has(status)) breaker.noteFailure(pathOf(request));
      else if (healthy.has(status)) breaker.noteSuccess(pathOf(request));
    },
  },
});

/** Host and path, whatever the route: APISIX's `$host$uri`. */
function pathOf({ host, path }: RequestView): string {
  return `api-breaker:${host}${path}`;
}

/** Nginx counts the 502 and 504 of an upstream that could not be asked as the upstream's own. Other answers of the gateway do not count. */
function upstreamStatusOf({ upstreamStatus, responseSource, status }: LogView): number {
  return upstreamStatus === 0 && responseSource === 'nginx' ? status : upstreamStatus;
}
