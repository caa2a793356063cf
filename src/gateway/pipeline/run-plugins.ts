import type { Clock } from '../../lib/clock.ts';
import type { PhaseResult, PluginAnswer, RequestView } from '../../plugin-kit/index.ts';
import type { PluginStep, RuntimeRoute } from '../runtime/index.ts';

/** How a chain of plugins ended. */
export type PluginOutcome =
  /** Every plugin let the request pass. */
  | { readonly kind: 'passed' }
  | { readonly kind: 'answered'; readonly answer: PluginAnswer; readonly step: PluginStep }
  | { readonly kind: 'failed'; readonly step: PluginStep; readonly error: unknown };

/** What all runs of a worker have in common. */
export interface PluginSurroundings {
  readonly clock: Clock;
  /** Notes what is entered, so that it is known even after this thread has died. */
  readonly enter: (route: number, plugin: number) => void;
}

/** A plugin that has not decided after this time has failed. */
const PLUGIN_DEADLINE_MS = 10_000;

const PASSED: PluginOutcome = { kind: 'passed' };

/**
 * Runs a route's chain until a plugin answers, fails or all have let the request pass. As long as no plugin waits for anything the
 * outcome comes at once; otherwise it is a promise, which never rejects.
 */
export function runPlugins(
  route: RuntimeRoute,
  request: RequestView,
  surroundings: PluginSurroundings,
  from = 0,
): PluginOutcome | Promise<PluginOutcome> {
  const { steps } = route.chain;
  for (let index = from; index < steps.length; index++) {
    const step = steps[index];
    if (step === undefined) break;
    surroundings.enter(route.number, step.number);
    let result: PhaseResult | Promise<PhaseResult>;
    try {
      result = step.run(request);
    } catch (error) {
      return { kind: 'failed', step, error };
    }
    if (result === undefined) continue;
    if (isThenable(result)) return runLater(route, request, surroundings, index, step, result);
    return { kind: 'answered', answer: result, step };
  }
  return PASSED;
}

async function runLater(
  route: RuntimeRoute,
  request: RequestView,
  surroundings: PluginSurroundings,
  index: number,
  step: PluginStep,
  waiting: Promise<PhaseResult>,
): Promise<PluginOutcome> {
  try {
    const result = await withDeadline(waiting, surroundings.clock);
    if (result !== undefined) return { kind: 'answered', answer: result, step };
  } catch (error) {
    return { kind: 'failed', step, error };
  }
  return runPlugins(route, request, surroundings, index + 1);
}

/** What the promise gives, or a rejection when it takes too long; whatever it gives later is ignored. */
function withDeadline(waiting: Promise<PhaseResult>, clock: Clock): Promise<PhaseResult> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(PLUGIN_DEADLINE_MS, () => reject(new Error(`the plugin did not decide within ${PLUGIN_DEADLINE_MS} ms`)));
    Promise.resolve(waiting).then(resolve, reject).finally(cancel);
  });
}

function isThenable(value: unknown): value is Promise<PhaseResult> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
