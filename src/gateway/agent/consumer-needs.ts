import type { JsonObject } from '../../lib/json.ts';
import type { PluginSchema, ReadableSchema, ReadPlugin, ValueOfReference } from '../../plugin-kit/index.ts';
import { readConsumer } from '../../schema/index.ts';
import { configuredIdentity, type IdentityPlugin, isIdentityName } from '../runtime/configured-identity.ts';
import { readPlugins } from '../runtime/read-settings.ts';
import type { ConsumerNeeds } from '../runtime/settings.ts';
import { resolvePluginSettings } from '../secrets/index.ts';
import { nodeNamesOf } from './node-names.ts';

/** What must be known of a plugin to tell what it needs on a consumer. */
export type NeedyPlugin = ReadableSchema & IdentityPlugin & Pick<PluginSchema, 'upstreams'>;

/**
 * Whether any of a consumer's plugins may need something; false for almost all consumers, of which there can be millions, at the price of
 * a look at the plugins' names.
 */
export function mayHaveNeeds(value: JsonObject, plugins: readonly NeedyPlugin[]): boolean {
  const configurations = Object.hasOwn(value, 'plugins') ? value.plugins : undefined;
  if (typeof configurations !== 'object' || configurations === null) return false;
  return Object.keys(configurations).some((name) => plugins.some((plugin) => plugin.name === name && isNeedy(plugin)));
}

/** What a consumer's plugins need; undefined for nothing. Those that cannot be read need nothing: no request gets as far as running them. */
export function consumerNeedsOf(value: JsonObject, plugins: readonly NeedyPlugin[], lookUp: ValueOfReference): ConsumerNeeds | undefined {
  if (!mayHaveNeeds(value, plugins)) return undefined;
  const settings = resolvePluginSettings(readPlugins(readConsumer(value).plugins, plugins), lookUp);
  const nodeNames = nodeNamesOf({ plugins: settings }, plugins);
  const headers = [...settings].flatMap(([name, read]) => identityHeadersOf(name, read, plugins)).filter(isIdentityName);
  if (nodeNames.length === 0 && headers.length === 0) return undefined;
  return { nodeNames, identityHeaders: [...new Set(headers)] };
}

function isNeedy({ identityHeaders, upstreams, nestedPlugins }: NeedyPlugin): boolean {
  return typeof identityHeaders === 'function' || upstreams !== undefined || nestedPlugins !== undefined;
}

function identityHeadersOf(name: string, read: ReadPlugin, plugins: readonly NeedyPlugin[]): readonly string[] {
  const plugin = plugins.find((each) => each.name === name);
  if (plugin === undefined || read.kind !== 'ready') return [];
  const nested = (read.nested ?? []).flatMap((inner) => identityHeadersOf(inner.name, inner.read, plugins));
  return [...configuredIdentity(plugin, read), ...nested];
}
