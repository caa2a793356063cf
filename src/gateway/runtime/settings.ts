import type { ReadPlugin } from '../../plugin-kit/index.ts';
import type { Route, Service, StreamRoute } from '../../schema/index.ts';

/** Plugin name → its configuration, read. */
export type PluginSettings = ReadonlyMap<string, ReadPlugin>;

/** A service as workers get it: plain data in which everything has been checked, so that no worker knows a schema. */
export interface ServiceSettings extends Omit<Service, 'plugins'> {
  readonly plugins: PluginSettings;
}

/**
 * What a consumer's plugins need of the whole gateway: a consumer is only known when it calls, but names must be resolved before, and a header
 * by which its plugins assert an identity must not come from any client.
 */
export interface ConsumerNeeds {
  /** Names of the nodes of their upstreams, each once. */
  readonly nodeNames: readonly string[];
  readonly identityHeaders: readonly string[];
}

/** A stream route as workers get it. */
export interface StreamRouteSettings extends Omit<StreamRoute, 'plugins'> {
  readonly plugins: PluginSettings;
}

/** A route as workers get it. */
export interface RouteSettings extends Omit<Route, 'plugins'> {
  readonly plugins: PluginSettings;
}
