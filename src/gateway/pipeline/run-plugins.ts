import type { CancelTask, Clock } from '../../lib/clock.ts';
import { isThenable } from '../../lib/is-thenable.ts';
import type { PhaseResult, PluginAnswer } from '../../plugin-kit/index.ts';
import type { PluginStep } from '../runtime/index.ts';
import type { FailedStep } from './failure-fields.ts';
import { PLUGIN_DEADLINE_MS } from './in-time.ts';
import { STAGE } from './request-chains.ts';
import type { RequestContext } from './request-context.ts';

/** How the plugins of a request ended. */
export type PluginOutcome =
  /** Every plugin let the request pass. */
  | { readonly kind: 'passed' }
  | { readonly kind: 'answered'; readonly answer: PluginAnswer; readonly step: FailedStep }
  | { readonly kind: 'failed'; readonly step: FailedStep; readonly error: unknown };

/** What all runs of a worker have in common. */
export interface PluginSurroundings {
  readonly clock: Clock;
  /** Notes what is entered, so that it is known even after this thread has died. */
  readonly enter: (route: number, plugin: number) => void;
  /** A plugin that has not decided after this time has failed; 10 s unless said. */
  readonly pluginDeadlineMs?: number | undefined;
}

const PASSED: PluginOutcome = { kind: 'passed' };
const CONSUMER: FailedStep = { plugin: '', phase: 'consumer' };
const BODY: FailedStep = { plugin: '', phase: 'body' };

/**
 * Runs a request's plugins, stage by stage, until one answers, fails or all have let the request pass. As long as no plugin waits for
 * anything the outcome comes at once; otherwise it is a promise, which never rejects.
 */
export function runPlugins(
  context: RequestContext,
  surroundings: PluginSurroundings,
  fromStage: number = STAGE.globalRewrite,
  fromIndex = 0,
): PluginOutcome | Promise<PluginOutcome> {
  let index = fromIndex;
  for (let stage = fromStage; stage < STAGE.done; stage++) {
    if (stage === STAGE.consumerRewrite && index === 0 && context.consumer !== undefined && !context.isMerged) {
      const error = context.mergeConsumer();
      if (error !== undefined) return { kind: 'failed', step: CONSUMER, error };
    }
    if (context.chains.bodyUse !== 0) {
      const body = context.readBodyVariables(context.chains.bodyUse);
      if (body !== undefined) return runWithBody(context, surroundings, stage, index, body);
    }
    const steps = context.chains.stepsOf(stage);
    for (; index < steps.length; index++) {
      const step = steps[index];
      if (step === undefined || !context.runs(step.instance)) continue;
      surroundings.enter(context.routeNumber, step.number);
      let result: PhaseResult | PromiseLike<PhaseResult>;
      try {
        result = step.run(context);
      } catch (error) {
        return { kind: 'failed', step, error };
      }
      if (result === undefined) continue;
      if (isThenable(result)) return runLater(context, surroundings, stage, index, step, result);
      return { kind: 'answered', answer: result, step };
    }
    index = 0;
  }
  return PASSED;
}

/** Goes on when the body has come that variables of the plugins tell of. */
async function runWithBody(
  context: RequestContext,
  surroundings: PluginSurroundings,
  stage: number,
  index: number,
  body: Promise<void>,
): Promise<PluginOutcome> {
  try {
    await body;
  } catch (error) {
    return context.isOver ? PASSED : { kind: 'failed', step: BODY, error };
  }
  return context.isOver ? PASSED : runPlugins(context, surroundings, stage, index);
}

async function runLater(
  context: RequestContext,
  surroundings: PluginSurroundings,
  stage: number,
  index: number,
  step: PluginStep,
  waiting: PromiseLike<PhaseResult>,
): Promise<PluginOutcome> {
  // The plugin's state is in use until it has come back, even when its time is over or the client has gone before.
  context.pluginRuns();
  const cameBack = (): void => context.pluginCameBack();
  Promise.resolve(waiting).then(cameBack, cameBack);
  try {
    const result = await withDeadline(waiting, context, surroundings);
    if (result !== undefined) return { kind: 'answered', answer: result, step };
  } catch (error) {
    return { kind: 'failed', step, error };
  }
  // The client may have gone meanwhile; then no other plugin is asked about the request.
  return context.isOver ? PASSED : runPlugins(context, surroundings, stage, index + 1);
}

/**
 * What the promise gives, or a rejection when it takes too long; whatever it gives later is ignored. Neither the time in which the plugin
 * waits for the client's body counts, which has limits of its own, nor waits that a configuration asks for.
 */
function withDeadline(
  waiting: PromiseLike<PhaseResult>,
  context: RequestContext,
  { clock, pluginDeadlineMs = PLUGIN_DEADLINE_MS }: PluginSurroundings,
): Promise<PhaseResult> {
  return new Promise((resolve, reject) => {
    let cancel: CancelTask = () => {};
    const wait = (durationMs: number): void => {
      cancel = clock.schedule(durationMs, () => {
        const grantedMs = context.takeGrantedTime();
        if (grantedMs > 0) wait(grantedMs);
        else if (context.readsBody) wait(pluginDeadlineMs);
        else reject(new Error(`the plugin did not decide within ${pluginDeadlineMs} ms`));
      });
    };
    wait(pluginDeadlineMs);
    Promise.resolve(waiting)
      .then(resolve, reject)
      .finally(() => {
        cancel();
        context.takeGrantedTime();
      });
  });
}
