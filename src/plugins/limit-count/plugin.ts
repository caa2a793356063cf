import {
  type Counters,
  checkHeaderName,
  definePlugin,
  type PhaseResult,
  type PluginAnswer,
  type PluginLog,
  type PluginSetup,
  type RequestView,
  refuse,
  type WindowDecision,
} from '../../plugin-kit/index.ts';
import {
  compileLimitKey,
  compileLimitNumber,
  compileRuleKey,
  counterPrefix,
  counterServerOf,
  LIMIT_FAILED,
  type LimitNumber,
  rejectionOf,
} from '../limiting/index.ts';
import { prefixedHeaders, type QuotaHeaders, resetSeconds, tellQuota } from './quota-headers.ts';
import { type LimitCountConfiguration, limitCountSchema } from './schema.ts';

interface CompiledRule {
  readonly count: LimitNumber;
  readonly windowS: LimitNumber;
  /** The whole name of the counter; undefined where the rule does not apply. */
  readonly counter: (request: RequestView) => string | undefined;
  readonly headers: QuotaHeaders;
}

interface LimitCountState {
  readonly counters: Counters;
  readonly isSliding: boolean;
  readonly rules: readonly CompiledRule[];
  readonly showsQuota: boolean;
  readonly rejection: PluginAnswer;
  /** What a request gets that no rule could be applied to; undefined lets it pass. */
  readonly uncounted: PluginAnswer | undefined;
  /** What a request gets when the counter fails. */
  readonly failed: PluginAnswer | undefined;
  readonly log: PluginLog;
}

/** Limits how many requests pass in a span of time. As APISIX's limit-count. */
export const limitCount = definePlugin<LimitCountConfiguration, LimitCountState>({
  ...limitCountSchema,
  readsHeadLater: false,
  create: (configuration, setup) => ({
    counters: countersOf(configuration, setup),
    isSliding: configuration.window_type === 'sliding',
    rules: compileRules(configuration, setup),
    showsQuota: configuration.show_limit_quota_header,
    rejection: rejectionOf('limit_count_exceeded', configuration),
    uncounted: configuration.allow_degradation ? undefined : LIMIT_FAILED,
    failed: configuration.allow_degradation ? undefined : refuse('limit_failed', { style: 'error_msg' }),
    log: setup.log,
  }),
  phases: { access: (request, state) => runRules(request, state, 0, false) },
});

function countersOf(configuration: LimitCountConfiguration, setup: PluginSetup): Counters {
  const server = counterServerOf(configuration);
  if (server === undefined) return setup.counters;
  const { sync_interval: syncIntervalS } = configuration;
  return setup.counterServer(server, syncIntervalS > 0 ? syncIntervalS * 1000 : undefined);
}

function compileRules(configuration: LimitCountConfiguration, setup: PluginSetup): readonly CompiledRule[] {
  const { count, time_window: timeWindow, rules, key, key_type: keyType, group } = configuration;
  const headers = headersOf(configuration, setup);
  const prefix = group === undefined ? counterPrefix(setup) : `${group}:`;
  if (rules === undefined) {
    const keyOf = compileLimitKey(keyType, key);
    const counter = (request: RequestView) => prefix + keyOf(request);
    return [{ count: compileLimitNumber(count ?? 0, 1), windowS: compileLimitNumber(timeWindow ?? 0, 1), counter, headers }];
  }
  return rules.map((rule, index) => {
    const keyOf = compileRuleKey(rule.key);
    const name = rule.header_prefix ?? String(index + 1);
    return {
      count: compileLimitNumber(rule.count, 1),
      windowS: compileLimitNumber(rule.time_window, 1),
      counter: (request: RequestView) => {
        const value = keyOf(request);
        // Two rules whose keys come to the same text count apart all the same.
        return value === undefined ? undefined : `${prefix}${value}:${index + 1}`;
      },
      headers: prefixedHeaders(headers, name),
    };
  });
}

/** Those of the configuration win over the metadata. A name that cannot stand in an answer is not used. */
function headersOf(configuration: LimitCountConfiguration, { metadata, log }: PluginSetup): QuotaHeaders {
  const nameOf = (field: 'limit_header' | 'remaining_header' | 'reset_header', fallback: string): string => {
    const name = configuration[field] ?? metadata?.[field];
    if (typeof name !== 'string') return fallback;
    if (checkHeaderName(name, '').length === 0) return name;
    log.warn('the metadata names a header that cannot be sent', { field });
    return fallback;
  };
  return {
    limit: nameOf('limit_header', 'X-RateLimit-Limit'),
    remaining: nameOf('remaining_header', 'X-RateLimit-Remaining'),
    reset: nameOf('reset_header', 'X-RateLimit-Reset'),
  };
}

/** Rules are applied in order until one rejects. Nothing is waited for where counters answer at once. */
function runRules(request: RequestView, state: LimitCountState, first: number, applied: boolean): PhaseResult | Promise<PhaseResult> {
  let isCounted = applied;
  for (let index = first; index < state.rules.length; index++) {
    const rule = state.rules[index];
    const count = rule?.count(request);
    const windowS = rule?.windowS(request);
    const counter = rule?.counter(request);
    if (rule === undefined || count === undefined || windowS === undefined || counter === undefined) continue;
    isCounted = true;
    const { counters, isSliding } = state;
    const decision = isSliding
      ? counters.slidingWindow(counter, count, windowS * 1000)
      : counters.fixedWindow(counter, count, windowS * 1000);
    if (decision instanceof Promise) {
      return decision.then((later) => apply(request, state, rule, counter, count, later) ?? runRules(request, state, index + 1, true));
    }
    const answer = apply(request, state, rule, counter, count, decision);
    if (answer !== undefined) return answer;
  }
  return isCounted ? undefined : state.uncounted;
}

function apply(
  request: RequestView,
  state: LimitCountState,
  rule: CompiledRule,
  counter: string,
  count: number,
  decision: WindowDecision,
): PhaseResult {
  switch (decision.kind) {
    case 'allowed':
    case 'rejected': {
      const remaining = decision.kind === 'allowed' ? decision.remaining : 0;
      const resetS = resetSeconds(decision.resetMs);
      if (state.showsQuota) tellQuota(request, rule.headers, count, remaining, resetS);
      request.setVariable('rate_limiting_info', () => limitingInfo(counter, count, remaining, resetS));
      return decision.kind === 'allowed' ? undefined : state.rejection;
    }
    case 'unavailable':
      state.log.warn('a request could not be counted', { detail: decision.detail });
      return state.failed;
  }
}

/** JSON. */
function limitingInfo(key: string, limit: number, remaining: number, resetS: number): string {
  return JSON.stringify({
    rate_limiting_key: key,
    rate_limiting_limit: limit,
    rate_limiting_remaining: remaining,
    rate_limiting_reset: resetS,
  });
}
