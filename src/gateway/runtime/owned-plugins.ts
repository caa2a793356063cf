import type { PluginOwner, ReadPlugin } from '../../plugin-kit/index.ts';
import type { PluginSettings } from './settings.ts';

/** A configuration with the object it stands in. */
export interface OwnedPlugin {
  readonly read: ReadPlugin;
  readonly owner: PluginOwner;
}

/** Plugin name → its configuration and where that stands. */
export type OwnedPlugins = ReadonlyMap<string, OwnedPlugin>;

/** The plugins of one object. */
export function ownedBy(owner: PluginOwner, plugins: PluginSettings): OwnedPlugins {
  return new Map([...plugins].map(([name, read]) => [name, { read, owner }]));
}

/**
 * The plugins that hold on a route: its own and its service's, whole configuration over whole configuration, never field by
 * field. A plugin disabled on the route switches off the service's too (API7: release 3.8.19).
 */
export function mergePlugins(service: OwnedPlugins, route: OwnedPlugins): OwnedPlugins {
  if (route.size === 0) return service;
  return new Map([...service, ...route]);
}
