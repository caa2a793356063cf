import type { Clock } from '../../lib/clock.ts';
import {
  type ConnectionView,
  type Counters,
  definePlugin,
  type EntryDecision,
  type PhaseResult,
  type PluginAnswer,
  type PluginLog,
  type PluginSetup,
  type RequestSlot,
  requestSlot,
} from '../../plugin-kit/index.ts';
import {
  compileLimitKey,
  compileLimitNumber,
  compileRuleKey,
  counterPrefix,
  counterServerOf,
  delayFor,
  LIMIT_FAILED,
  type LimitNumber,
  rejectionOf,
} from '../limiting/index.ts';
import { HeldEntries } from './held-entries.ts';
import { type LimitConnConfiguration, limitConnSchema } from './schema.ts';

interface CompiledRule {
  readonly conn: LimitNumber;
  readonly burst: LimitNumber;
  /** The whole name of the counter; undefined where the rule does not apply. */
  readonly counter: (request: ConnectionView) => string | undefined;
}

interface LimitConnState {
  readonly counters: Counters;
  readonly rules: readonly CompiledRule[];
  readonly unitDelayMs: number;
  readonly lifetimeMs: number;
  readonly rejection: PluginAnswer;
  /** What a request gets that cannot be counted; undefined lets it pass. */
  readonly failed: PluginAnswer | undefined;
  readonly clock: Clock;
  readonly log: PluginLog;
  /** Of this configuration alone: a global rule and a route may both limit a request. */
  readonly held: RequestSlot<HeldEntries>;
}

/** Limits how many requests are under way at the same time. As APISIX's limit-conn. */
export const limitConn = definePlugin<LimitConnConfiguration, LimitConnState>({
  ...limitConnSchema,
  readsHeadLater: false,
  create: (configuration, setup) => {
    const server = counterServerOf(configuration);
    return {
      counters: server === undefined ? setup.counters : setup.counterServer(server),
      rules: compileRules(configuration, setup),
      unitDelayMs: configuration.default_conn_delay * 1000,
      lifetimeMs: configuration.key_ttl * 1000,
      rejection: rejectionOf('limit_conn_exceeded', configuration),
      failed: configuration.allow_degradation ? undefined : LIMIT_FAILED,
      clock: setup.clock,
      log: setup.log,
      held: requestSlot('limit-conn'),
    };
  },
  phases: {
    access: enter,
    log: leave,
    preread: enter,
    closed: leave,
  },
});

function enter(request: ConnectionView, state: LimitConnState): PhaseResult | Promise<PhaseResult> {
  const held = new HeldEntries();
  request.set(state.held, held);
  return runRules(request, state, held, 0, false);
}

function leave(request: ConnectionView, state: LimitConnState): void {
  request.get(state.held)?.leave();
}

function compileRules({ conn, burst, key, key_type: keyType, rules }: LimitConnConfiguration, setup: PluginSetup): readonly CompiledRule[] {
  const prefix = counterPrefix(setup);
  if (rules === undefined) {
    const keyOf = compileLimitKey(keyType, key ?? '');
    const counter = (request: ConnectionView) => prefix + keyOf(request);
    return [{ conn: compileLimitNumber(conn ?? 0, 1), burst: compileLimitNumber(burst ?? 0, 0), counter }];
  }
  return rules.map((rule, index) => {
    const keyOf = compileRuleKey(rule.key);
    return {
      conn: compileLimitNumber(rule.conn, 1),
      burst: compileLimitNumber(rule.burst, 0),
      counter: (request: ConnectionView) => {
        const value = keyOf(request);
        // Two rules whose keys come to the same text count apart all the same.
        return value === undefined ? undefined : `${prefix}${value}:${index + 1}`;
      },
    };
  });
}

/** Rules are applied in order until one rejects. Nothing is waited for where counters answer at once and the request need not wait. */
function runRules(
  request: ConnectionView,
  state: LimitConnState,
  held: HeldEntries,
  first: number,
  applied: boolean,
): PhaseResult | Promise<PhaseResult> {
  let isCounted = applied;
  for (let index = first; index < state.rules.length; index++) {
    const rule = state.rules[index];
    const conn = rule?.conn(request);
    const burst = rule?.burst(request);
    const counter = rule?.counter(request);
    if (conn === undefined || burst === undefined || counter === undefined) continue;
    isCounted = true;
    const decision = state.counters.enter(counter, conn + burst, state.lifetimeMs);
    const answer =
      decision instanceof Promise
        ? decision.then((later) => apply(request, state, held, conn, later))
        : apply(request, state, held, conn, decision);
    if (answer instanceof Promise)
      return answer.then((later) => later ?? (held.isOver ? undefined : runRules(request, state, held, index + 1, true)));
    if (answer !== undefined) return answer;
  }
  return isCounted ? undefined : state.failed;
}

function apply(
  request: ConnectionView,
  state: LimitConnState,
  held: HeldEntries,
  conn: number,
  decision: EntryDecision,
): PhaseResult | Promise<PhaseResult> {
  switch (decision.kind) {
    case 'entered': {
      held.hold(decision);
      // Rises by one unit with each `conn` requests more.
      const units = decision.inFlight > conn ? Math.floor((decision.inFlight - 1) / conn) : 0;
      // What a server lets in after the request is over has nobody to wait for it.
      return held.isOver ? undefined : delayFor(request, state.clock, units * state.unitDelayMs);
    }
    case 'rejected':
      return state.rejection;
    case 'unavailable':
      state.log.warn('a request could not be counted', { detail: decision.detail });
      return state.failed;
  }
}
