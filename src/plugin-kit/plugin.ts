import type { PluginAnswer } from './answer.ts';
import type { BodyFilter } from './body-filter.ts';
import type { ClosedConnection, ConnectionView } from './connection-view.ts';
import type { LogView } from './log-view.ts';
import type { PluginSchema } from './plugin-schema.ts';
import type { PluginSetup } from './plugin-setup.ts';
import type { RequestView } from './request-view.ts';
import type { ResponseHead } from './response-head.ts';

/** What a phase says: nothing to go on, or an answer to stop. To fail, it throws. */
export type PhaseResult = PluginAnswer | undefined;

/** The phases in which a plugin may take part, in the order in which a request meets them. */
export interface PluginPhases<State> {
  /** First phase, before the upstream is chosen; authentication runs here. */
  rewrite?(request: RequestView, state: State): PhaseResult | Promise<PhaseResult>;
  /** Runs when all plugins have rewritten, and the consumer's own plugins are known. */
  access?(request: RequestView, state: State): PhaseResult | Promise<PhaseResult>;
  /** Last look before the request goes to its upstream. */
  beforeProxy?(request: RequestView, state: State): PhaseResult | Promise<PhaseResult>;
  /** The head of the answer, also of answers that the gateway made itself. Not for 1xx. */
  headerFilter?(request: RequestView, response: ResponseHead, state: State): void;
  /** Asked when all header filters have run, only for answers with a body; gives what changes the body, or undefined to let it pass. */
  bodyFilter?(request: RequestView, response: ResponseHead, state: State): BodyFilter | undefined;
  /** The request is over, however it ended. */
  log?(request: LogView, state: State): void;
  /** On stream routes: a client has connected, and nothing of what it sends has been read. An answer refuses it; only its reason is told, to logs. */
  preread?(connection: ConnectionView, state: State): PhaseResult | Promise<PhaseResult>;
  /** On stream routes: the connection is over, however it ended. */
  closed?(connection: ClosedConnection, state: State): void;
}

/**
 * A plugin with its code. `create` runs once per configuration (its result is `State`), `dispose` after the last request that
 * used it; nothing is compiled on the request path.
 */
export interface Plugin<Config, State> extends PluginSchema {
  /** `config` has been validated and carries its defaults. */
  create(config: Config, setup: PluginSetup): State;
  dispose?(state: State): void;
  readonly phases: PluginPhases<State>;
  /**
   * The phases behind the decision (`headerFilter`, `bodyFilter`, `log`) look at the client's head, or `log` at the answer's, which costs
   * a copy of it. True unless said.
   */
  readonly readsHeadLater?: boolean;
  /**
   * Whether a configuration changes bodies; where it does not, `bodyFilter` counts as absent, which is cheaper. True unless said.
   */
  changesBodies?(state: State): boolean;
  /** `prefer-route`: of a global rule and a route that both have the plugin, only the route's runs. Both run unless said. */
  readonly runPolicy?: 'prefer-route';
  /**
   * The plugin puts a coding on bodies: its header and body filters run behind those of all plugins that do not, whatever the priorities,
   * and also where those belong to a route and this one to a global rule, so that others see bodies as they are. Answers that the engine makes
   * by itself (502, 504, …) pass it by. False unless said.
   */
  readonly encodesBody?: boolean;
}

/** A plugin whose configuration and state types are known to itself only, as lists of plugins hold it. */
export type AnyPlugin = Plugin<never, unknown>;

/** Checks a plugin's definition by its types and gives it back frozen. */
export function definePlugin<Config, State>(plugin: Plugin<Config, State>): Plugin<Config, State> {
  return Object.freeze(plugin);
}
