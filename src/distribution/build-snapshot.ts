import type { JsonObject } from '../lib/json.ts';
import { asUpstreamDocument, isJsonObject, isServedUpstream, isStreamService, unservedInStreamService } from '../schema/index.ts';
import type { KeyDigest, ReferencedKey, SnapshotChange, SnapshotItem, SnapshotItemName } from '../schema/snapshot.ts';
import type { ResourceChange, ResourceKey, StoredResource } from '../store/store.ts';
import type { SnapshotPlugins } from './snapshot-plugins.ts';

/**
 * What a gateway receives of a stored resource, or undefined for kinds that gateways have no use for.
 *
 * The resource must have been read with the secrets that `plugins.opensSecret` names. Of credentials only the salted digests of their
 * unique values travel, with what each plugin's `credentialData` gives, or the references by which gateways find both: a credential's plugins
 * are left out, and so are a consumer's plugins of type `auth`, by which APISIX lets a consumer carry its own key.
 */
export function toSnapshotItem(resource: StoredResource, plugins: SnapshotPlugins): SnapshotItem | undefined {
  const { key, document } = resource;
  switch (key.kind) {
    case 'service':
      return isServedService(document) ? { kind: key.kind, id: key.id, value: document } : undefined;
    case 'route':
    case 'stream_route':
    case 'global_rule':
    case 'plugin_metadata':
    case 'secret_provider':
    case 'ssl':
    case 'sni':
    case 'certificate':
    case 'ca_certificate':
      return { kind: key.kind, id: key.id, value: document };
    case 'upstream':
      if (!isServedUpstream(asUpstreamDocument(document))) return undefined;
      return { kind: 'upstream', id: key.id, service: key.parentId, value: document };
    case 'consumer':
      return { kind: 'consumer', id: key.id, value: withoutAuthPlugins(document, plugins), ...toKeys(resource, plugins) };
    case 'credential':
      return {
        kind: 'credential',
        id: key.id,
        consumer: key.parentId,
        value: withoutField(document, 'plugins'),
        ...toKeys(resource, plugins),
      };
    default:
      return undefined;
  }
}

/** The same for one change; undefined when it concerns no gateway. */
export function toSnapshotChange(change: ResourceChange, plugins: SnapshotPlugins): SnapshotChange | undefined {
  const item = change.op === 'delete' ? undefined : toSnapshotItem(change.resource, plugins);
  if (item !== undefined) return { op: 'put', item };
  // What gateways have no use for now may have been of use before it was changed: a service that has become one for streams.
  const name = toItemName(change.op === 'delete' ? change.key : change.resource.key);
  return name === undefined ? undefined : { op: 'delete', name };
}

function toItemName(key: ResourceKey): SnapshotItemName | undefined {
  switch (key.kind) {
    case 'service':
    case 'upstream':
    case 'route':
    case 'stream_route':
    case 'consumer':
    case 'credential':
    case 'global_rule':
    case 'plugin_metadata':
    case 'secret_provider':
    case 'ssl':
    case 'sni':
    case 'certificate':
    case 'ca_certificate':
      return { kind: key.kind, parentId: key.parentId, id: key.id };
    default:
      return undefined;
  }
}

/** One of type HTTP that cannot be served is refused when it is written. */
function isServedService(document: JsonObject): boolean {
  if (!isStreamService(document)) return true;
  const { upstream } = document;
  return unservedInStreamService(isJsonObject(upstream) ? { upstream: asUpstreamDocument(upstream) } : {}).length === 0;
}

interface HeldKeys {
  readonly keys: readonly KeyDigest[];
  readonly references?: readonly ReferencedKey[];
}

/** A switched-off plugin has no unique value, and so gives no key. */
function toKeys({ unique, document }: StoredResource, plugins: SnapshotPlugins): HeldKeys {
  const configurations = ownObject(document, 'plugins');
  const references = Object.keys(configurations).flatMap((name) => plugins.referencedKey(name, ownObject(configurations, name)) ?? []);
  const referenced = new Set(references.map(({ plugin }) => plugin));
  // In whatever order the database gives them: equal resources have to be written with equal texts.
  const sorted = unique.length < 2 ? unique : unique.toSorted((one, other) => Buffer.compare(one.digest, other.digest));
  const keys = sorted.flatMap(({ space, digest }) => {
    const data = referenced.has(space) ? undefined : plugins.keyData(space, ownObject(configurations, space));
    return data === undefined ? [] : [{ plugin: space, digest: digest.toString('base64'), ...data }];
  });
  return references.length === 0 ? { keys } : { keys, references };
}

function withoutAuthPlugins(document: JsonObject, plugins: SnapshotPlugins): JsonObject {
  if (!Object.hasOwn(document, 'plugins') || !isJsonObject(document.plugins)) return document;
  const kept = Object.fromEntries(Object.entries(document.plugins).filter(([name]) => !plugins.isAuth(name)));
  return { ...document, plugins: kept };
}

function withoutField(document: JsonObject, field: string): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== field));
}

function ownObject(document: JsonObject, field: string): JsonObject {
  const value = Object.hasOwn(document, field) ? document[field] : undefined;
  return isJsonObject(value) ? value : {};
}
