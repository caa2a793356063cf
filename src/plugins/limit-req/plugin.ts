import type { Clock } from '../../lib/clock.ts';
import {
  type BucketDecision,
  type Counters,
  definePlugin,
  type PhaseResult,
  type PluginAnswer,
  type PluginLog,
  type RequestView,
} from '../../plugin-kit/index.ts';
import { compileLimitKey, counterPrefix, counterServerOf, delayFor, LIMIT_FAILED, rejectionOf } from '../limiting/index.ts';
import { type LimitReqConfiguration, limitReqSchema } from './schema.ts';

interface LimitReqState {
  readonly counters: Counters;
  readonly counter: (request: RequestView) => string;
  readonly rate: number;
  readonly burst: number;
  readonly isDelayed: boolean;
  readonly rejection: PluginAnswer;
  readonly failed: PluginAnswer | undefined;
  readonly clock: Clock;
  readonly log: PluginLog;
}

/** Lets requests through at an even rate, by a leaky bucket. As APISIX's limit-req. */
export const limitReq = definePlugin<LimitReqConfiguration, LimitReqState>({
  ...limitReqSchema,
  readsHeadLater: false,
  create: (configuration, setup) => {
    const server = counterServerOf(configuration);
    const keyOf = compileLimitKey(configuration.key_type, configuration.key);
    const prefix = counterPrefix(setup);
    return {
      counters: server === undefined ? setup.counters : setup.counterServer(server),
      counter: (request) => prefix + keyOf(request),
      rate: configuration.rate,
      burst: configuration.burst,
      isDelayed: !configuration.nodelay,
      rejection: rejectionOf('limit_req_exceeded', configuration),
      failed: configuration.allow_degradation ? undefined : LIMIT_FAILED,
      clock: setup.clock,
      log: setup.log,
    };
  },
  phases: {
    access: (request, state) => {
      const decision = state.counters.leakyBucket(state.counter(request), state.rate, state.burst);
      return decision instanceof Promise ? decision.then((later) => apply(request, state, later)) : apply(request, state, decision);
    },
  },
});

function apply(
  request: RequestView,
  { isDelayed, rejection, failed, clock, log }: LimitReqState,
  decision: BucketDecision,
): PhaseResult | Promise<PhaseResult> {
  switch (decision.kind) {
    case 'allowed':
      return isDelayed ? delayFor(request, clock, decision.delayMs) : undefined;
    case 'rejected':
      return rejection;
    case 'unavailable':
      log.warn('a request could not be counted', { detail: decision.detail });
      return failed;
  }
}
