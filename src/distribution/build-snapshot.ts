import type { JsonObject } from '../lib/json.ts';
import type { KeyDigest, SnapshotChange, SnapshotItem, SnapshotItemName } from '../schema/snapshot.ts';
import type { ResourceChange, ResourceKey, StoredResource, UniqueValue } from '../store/store.ts';

/** Names of the plugins of type `auth`: their configuration on consumers never leaves the control plane. */
export type AuthPluginNames = ReadonlySet<string>;

/**
 * What a gateway receives of a stored resource, or undefined for kinds that gateways have no use for.
 *
 * The resource must have been read without its secrets. Of API keys only the salted digests travel: a credential's plugins are
 * left out, and so are a consumer's plugins of type `auth`, by which APISIX lets a consumer carry its own key.
 */
export function toSnapshotItem(resource: StoredResource, authPlugins: AuthPluginNames): SnapshotItem | undefined {
  const { key, document } = resource;
  switch (key.kind) {
    case 'service':
    case 'route':
      return { kind: key.kind, id: key.id, value: document };
    case 'consumer':
      return { kind: 'consumer', id: key.id, value: withoutAuthPlugins(document, authPlugins), keys: toKeys(resource.unique) };
    case 'credential':
      return {
        kind: 'credential',
        id: key.id,
        consumer: key.parentId,
        value: withoutField(document, 'plugins'),
        keys: toKeys(resource.unique),
      };
    default:
      return undefined;
  }
}

/** The same for one change; undefined when it concerns no gateway. */
export function toSnapshotChange(change: ResourceChange, authPlugins: AuthPluginNames): SnapshotChange | undefined {
  if (change.op === 'delete') {
    const name = toItemName(change.key);
    return name === undefined ? undefined : { op: 'delete', name };
  }
  const item = toSnapshotItem(change.resource, authPlugins);
  return item === undefined ? undefined : { op: 'put', item };
}

function toItemName(key: ResourceKey): SnapshotItemName | undefined {
  switch (key.kind) {
    case 'service':
    case 'route':
    case 'consumer':
    case 'credential':
      return { kind: key.kind, parentId: key.parentId, id: key.id };
    default:
      return undefined;
  }
}

function toKeys(unique: readonly UniqueValue[]): readonly KeyDigest[] {
  return unique.map(({ space, digest }) => ({ plugin: space, digest: digest.toString('base64') }));
}

function withoutAuthPlugins(document: JsonObject, authPlugins: AuthPluginNames): JsonObject {
  const plugins = Object.hasOwn(document, 'plugins') ? document.plugins : undefined;
  if (typeof plugins !== 'object' || plugins === null || Array.isArray(plugins)) return document;
  const kept = Object.fromEntries(Object.entries(plugins).filter(([name]) => !authPlugins.has(name)));
  return { ...document, plugins: kept };
}

function withoutField(document: JsonObject, field: string): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== field));
}
