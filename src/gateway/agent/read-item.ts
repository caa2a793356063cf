import type { JsonObject } from '../../lib/json.ts';
import {
  type PluginSchema,
  type ReadableSchema,
  readPluginConfiguration,
  resolveSecretReferences,
  type ValueOfReference,
} from '../../plugin-kit/index.ts';
import { isJsonObject, readTlsItem, type SnapshotItem } from '../../schema/index.ts';
import { CompileError } from '../runtime/compile-error.ts';
import {
  readPlugins,
  readRouteSettings,
  readServiceSettings,
  readStreamRouteSettings,
  readUpstreamSettings,
} from '../runtime/read-settings.ts';
import type { PluginSettings } from '../runtime/settings.ts';
import { resolvePluginSettings } from '../secrets/index.ts';
import type { RuntimeChange } from '../worker/worker-messages.ts';
import { type RouteNumbers, streamRouteKey } from './route-numbers.ts';
import { namesOfUpstreamKey, upstreamKey } from './upstream-key.ts';

/** Kinds of items that workers compile. Consumers and credentials lie in the shared tables, secret providers are the agent's own. */
export const COMPILED_KINDS = [
  'ca_certificate',
  'certificate',
  'ssl',
  'sni',
  'plugin_metadata',
  'global_rule',
  'service',
  'upstream',
  'route',
  'stream_route',
] as const;

export type CompiledKind = (typeof COMPILED_KINDS)[number];

/** An item that workers compile. */
export type CompiledItem = Extract<SnapshotItem, { readonly kind: CompiledKind }>;

/** What must be known of a plugin to read its configurations and its metadata. */
export type ItemPlugin = ReadableSchema & Pick<PluginSchema, 'metadataSchema'>;

export function isCompiled(item: SnapshotItem): item is CompiledItem {
  return isCompiledKind(item.kind);
}

export function isCompiledKind(kind: SnapshotItem['kind']): kind is CompiledKind {
  return kind !== 'consumer' && kind !== 'credential' && kind !== 'secret_provider';
}

/** What items are read with. */
export interface ReadItemOptions {
  readonly numbers: RouteNumbers;
  readonly plugins: readonly ItemPlugin[];
  /** Workers get what secret references stand for, and know nothing of references. */
  readonly lookUp: ValueOfReference;
}

/**
 * What workers are told of an item; undefined for the metadata of a plugin that this version does not have, which nobody would read.
 *
 * @throws CompileError when this version cannot serve it
 */
export function readItem(item: CompiledItem, { numbers, plugins, lookUp }: ReadItemOptions): RuntimeChange | undefined {
  const { kind, id, value } = item;
  switch (kind) {
    case 'service': {
      const settings = readServiceSettings(id, value, plugins);
      return { op: 'put-service', id, settings: withSecrets(settings, lookUp) };
    }
    case 'upstream':
      return { op: 'put-upstream', id, serviceId: item.service, settings: readUpstreamSettings(id, value) };
    case 'route': {
      const settings = readRouteSettings(id, value, plugins);
      return { op: 'put-route', id, number: numbers.numberOf(id), settings: withSecrets(settings, lookUp) };
    }
    case 'stream_route': {
      const settings = readStreamRouteSettings(id, value, plugins);
      return { op: 'put-stream-route', id, number: numbers.numberOf(streamRouteKey(id)), settings: withSecrets(settings, lookUp) };
    }
    case 'global_rule':
      return { op: 'put-global-rule', id, settings: resolvePluginSettings(readPlugins(pluginsOf(id, value), plugins), lookUp) };
    case 'plugin_metadata':
      return readMetadata(id, value, plugins, lookUp);
    case 'ssl':
    case 'sni':
    case 'certificate':
    case 'ca_certificate':
      return { op: 'put-tls-item', kind, id, settings: readTlsItem(kind, resolveSecretReferences(value, lookUp)) };
  }
}

function withSecrets<Settings extends { readonly plugins: PluginSettings }>(settings: Settings, lookUp: ValueOfReference): Settings {
  return { ...settings, plugins: resolvePluginSettings(settings.plugins, lookUp) };
}

/** What names a compiled item among those of its kind. */
export function keyOfItem(item: CompiledItem): string {
  return item.kind === 'upstream' ? upstreamKey(item.service, item.id) : item.id;
}

/** What workers are told of an item that is gone; `id` is what `keyOfItem` gave. */
export function readDeletion(kind: CompiledKind, id: string): RuntimeChange {
  switch (kind) {
    case 'service':
      return { op: 'delete-service', id };
    case 'upstream':
      return { op: 'delete-upstream', ...namesOfUpstreamKey(id) };
    case 'route':
      return { op: 'delete-route', id };
    case 'stream_route':
      return { op: 'delete-stream-route', id };
    case 'global_rule':
      return { op: 'delete-global-rule', id };
    case 'plugin_metadata':
      return { op: 'delete-plugin-metadata', plugin: id };
    case 'ssl':
    case 'sni':
    case 'certificate':
    case 'ca_certificate':
      return { op: 'delete-tls-item', kind, id };
  }
}

function pluginsOf(id: string, value: JsonObject): ReadonlyMap<string, JsonObject[string]> {
  const plugins = Object.hasOwn(value, 'plugins') ? value.plugins : undefined;
  if (!isJsonObject(plugins)) throw new CompileError(`global rule ${id}: its plugins are no object`);
  return new Map(Object.entries(plugins));
}

function readMetadata(
  plugin: string,
  value: JsonObject,
  plugins: readonly ItemPlugin[],
  lookUp: ValueOfReference,
): RuntimeChange | undefined {
  const schema = plugins.find(({ name }) => name === plugin)?.metadataSchema;
  if (schema === undefined) return undefined;
  try {
    return { op: 'put-plugin-metadata', plugin, value: resolveSecretReferences(readPluginConfiguration(schema, value), lookUp) };
  } catch (error) {
    throw new CompileError(`metadata of plugin ${plugin}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
