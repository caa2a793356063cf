import type { PluginAnswer } from './answer.ts';
import type { PluginSchema } from './plugin-schema.ts';
import type { RequestView } from './request-view.ts';

/** What a phase says: nothing to go on, or an answer to stop. To fail, it throws. */
export type PhaseResult = PluginAnswer | undefined;

/**
 * A plugin with its code. `create` runs once per configuration (its result is `State`), `dispose` after the last request that
 * used it; nothing is compiled on the request path.
 */
export interface Plugin<Config, State> extends PluginSchema {
  /** `config` has been validated and carries its defaults. */
  create(config: Config): State;
  dispose?(state: State): void;
  readonly phases: {
    /** First phase, before the upstream is chosen; authentication runs here. */
    rewrite?(request: RequestView, state: State): PhaseResult | Promise<PhaseResult>;
    /** Runs when all plugins have rewritten. */
    access?(request: RequestView, state: State): PhaseResult | Promise<PhaseResult>;
  };
}

/** A plugin whose configuration and state types are known to itself only, as lists of plugins hold it. */
export type AnyPlugin = Plugin<never, unknown>;

/** Checks a plugin's definition by its types and gives it back frozen. */
export function definePlugin<Config, State>(plugin: Plugin<Config, State>): Plugin<Config, State> {
  return Object.freeze(plugin);
}
