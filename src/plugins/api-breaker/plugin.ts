import { statusOfReason } from '../../errors/index.ts';
import { definePlugin, type LogView, type PluginAnswer, type RequestSlot, type RequestView, requestSlot } from '../../plugin-kit/index.ts';
import { breakAnswer } from './break-answer.ts';
import { BreakerState } from './breaker-state.ts';
import { type ApiBreakerConfiguration, apiBreakerSchema } from './schema.ts';

interface ApiBreakerState {
  readonly breaker: BreakerState;
  readonly answer: (request: RequestView) => PluginAnswer;
  readonly unhealthy: ReadonlySet<number>;
  readonly healthy: ReadonlySet<number>;
  /** Name of the record. The head is not kept until the request is over, and another plugin may change the path. */
  readonly path: RequestSlot<string>;
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
    path: requestSlot(apiBreakerSchema.name),
  }),
  phases: {
    access: (request, { breaker, answer, path: slot }) => {
      const path = pathOf(request);
      request.set(slot, path);
      return breaker.isOpen(path) ? answer(request) : undefined;
    },
    log: (request, { breaker, unhealthy, healthy, path: slot }) => {
      const path = request.get(slot);
      if (path === undefined) return;
      const status = upstreamStatusOf(request);
      if (unhealthy.has(status)) breaker.noteFailure(path);
      else if (healthy.has(status)) breaker.noteSuccess(path);
    },
  },
});

/** Host and path, whatever the route: APISIX's `$host$uri`. */
function pathOf({ host, path }: RequestView): string {
  return `api-breaker:${host}${path}`;
}

/** Nginx counts the 502 and 504 of an upstream that could not be asked as the upstream's own. Other answers of the gateway do not count. */
function upstreamStatusOf({ upstreamStatus, responseSource, reason }: LogView): number {
  // Not the status that was sent: a filter may have rewritten it, and it would hide the failure.
  const failed = upstreamStatus === 0 && responseSource === 'nginx' && reason !== undefined;
  return failed ? (statusOfReason(reason) ?? 0) : upstreamStatus;
}
