import { PortcullisError } from '../errors/index.ts';
import type { PluginAnswer } from './answer.ts';
import type { AnyPlugin, PhaseResult } from './plugin.ts';
import type { ReadPlugin } from './read-plugin.ts';
import type { RequestView } from './request-view.ts';

/** A phase of one plugin with one configuration. */
export type PhaseFunction = (request: RequestView) => PhaseResult | Promise<PhaseResult>;

/** One plugin with one configuration, ready to run. */
export interface PluginInstance {
  readonly plugin: AnyPlugin;
  /** `_meta.priority`, or else the plugin's own. */
  readonly priority: number;
  /** `_meta.disable`: the phases are absent then, and the plugin's code was never called. */
  readonly disabled: boolean;
  readonly rewrite: PhaseFunction | undefined;
  readonly access: PhaseFunction | undefined;
  /** To be called once, after the last request that used the instance. */
  dispose(): void;
}

/**
 * Creates the state of a plugin whose configuration has been read by `readPlugin`. `_meta.error_response` is applied to
 * what the phases answer, so that neither the plugin nor the pipeline has to know of it.
 *
 * @throws PortcullisError `internal` when the configuration is invalid, and whatever `create` throws
 */
export function instantiatePlugin(plugin: AnyPlugin, read: ReadPlugin): PluginInstance {
  if (read.kind === 'invalid') throw new PortcullisError('internal', { detail: read.problem });
  const { meta } = read;
  const priority = meta.priority ?? plugin.priority;
  if (read.kind === 'disabled') return { plugin, priority, disabled: true, rewrite: undefined, access: undefined, dispose: () => {} };
  // The parsing border: the schema has vouched for the shape that the plugin's `Config` describes.
  const state = plugin.create(read.configuration as never);
  const { rewrite, access } = plugin.phases;
  return {
    plugin,
    priority,
    disabled: false,
    rewrite: rewrite && withErrorBody((request) => rewrite(request, state), meta.errorBody),
    access: access && withErrorBody((request) => access(request, state), meta.errorBody),
    dispose: () => plugin.dispose?.(state),
  };
}

function withErrorBody(phase: PhaseFunction, errorBody: string | undefined): PhaseFunction {
  if (errorBody === undefined) return phase;
  const replace = (answer: PhaseResult): PhaseResult => (answer === undefined ? undefined : replaceErrorBody(answer, errorBody));
  return (request) => {
    const result = phase(request);
    return result instanceof Promise ? result.then(replace) : replace(result);
  };
}

function replaceErrorBody(answer: PluginAnswer, errorBody: string): PluginAnswer {
  return answer.status >= 400 ? { ...answer, body: errorBody } : answer;
}
