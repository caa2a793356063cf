import type { Clock } from '../../lib/clock.ts';
import { RandomNumbers } from '../../lib/random-numbers.ts';
import { definePlugin, type PhaseResult, type PluginAnswer, type RequestView, waitFor } from '../../plugin-kit/index.ts';
import { abortAnswer } from './abort-answer.ts';
import { type CompiledCondition, compileCondition } from './fault-condition.ts';
import { type FaultInjectionConfiguration, faultInjectionSchema } from './schema.ts';

interface FaultInjectionState {
  readonly delay: { readonly condition: CompiledCondition; readonly durationMs: number } | undefined;
  readonly abort: { readonly condition: CompiledCondition; readonly answer: (request: RequestView) => PluginAnswer } | undefined;
  readonly clock: Clock;
}

/** Lets requests wait, or answers them in place of the upstream, so that clients can be tried. As APISIX's fault-injection. */
export const faultInjection = definePlugin<FaultInjectionConfiguration, FaultInjectionState>({
  ...faultInjectionSchema,
  readsHeadLater: false,
  create: ({ abort, delay }, { random, clock }) => {
    const numbers = new RandomNumbers(random);
    return {
      delay: delay && {
        condition: compileCondition(delay, numbers),
        durationMs: delay.duration * 1000,
      },
      abort: abort && { condition: compileCondition(abort, numbers), answer: abortAnswer(abort) },
      clock,
    };
  },
  phases: {
    rewrite: (request, { delay, abort, clock }) => {
      // Both are judged before the wait, by what the request was then; the dice are thrown one after the other.
      const mayDelay = delay?.condition.matches(request) ?? false;
      const mayAbort = abort?.condition.matches(request) ?? false;
      const decide = (): PhaseResult => (abort !== undefined && mayAbort && abort.condition.strikes() ? abort.answer(request) : undefined);
      if (delay === undefined || !mayDelay || !delay.condition.strikes() || delay.durationMs === 0) return decide();
      return waitFor(request, clock, delay.durationMs).then(decide);
    },
  },
});
