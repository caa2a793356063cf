import type { ReadPlugin } from '../../plugin-kit/index.ts';
import type { Route, Service } from '../../schema/index.ts';

/** Plugin name → its configuration, read. */
export type PluginSettings = ReadonlyMap<string, ReadPlugin>;

/** A service as workers get it: plain data in which everything has been checked, so that no worker knows a schema. */
export interface ServiceSettings extends Omit<Service, 'plugins'> {
  readonly plugins: PluginSettings;
}

/** A route as workers get it. */
export interface RouteSettings extends Omit<Route, 'plugins'> {
  readonly plugins: PluginSettings;
}
