import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind, ResourceKindName } from '../../schema/index.ts';
import type { ResourceKey, ResourceQuery, StoredResource, StoreReader } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { rememberingReader } from './permission-facts.ts';
import { isNotModified } from './preconditions.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { resourceKeyOf } from './resource-path.ts';
import { isFree, mayDoToResource, permitKind, permitResource } from './resource-permissions.ts';

/** GET of one resource. Secrets are shown to whoever may write them. */
export async function getResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(context.store, request);
  permitKind(request, kind, 'read', group.id);
  const resource = await readVisible(context.store, kind, request, resourceKeyOf(kind, group.id, request));
  const headers = { etag: entityTag(resource.revision) };
  if (isNotModified(request, resource.revision)) return { status: 304, headers, body: undefined };
  return { headers, body: { value: presentResource(kind, resource) } };
}

/** A resource that the caller may read, with its secrets if he may write it. @throws PortcullisError 403, 404 */
export async function readVisible(store: StoreReader, kind: ResourceKind, request: ApiRequest, key: ResourceKey): Promise<StoredResource> {
  const found = await store.getResource(key, { secrets: 'omit' });
  if (found === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind.name} not found` });
  await permitResource(store, request, 'read', key, found.document);
  const isWriter = await mayDoToResource(store, request, 'write', key, found.document);
  return isWriter ? ((await store.getResource(key)) ?? found) : found;
}

/** What the caller may see, each with its secrets if he may write it. */
export async function listVisible(store: StoreReader, request: ApiRequest, query: ResourceQuery): Promise<readonly StoredResource[]> {
  // A kind of ours: the query was made of one.
  const kind = query.kind as ResourceKindName;
  if (isFree(request, kind, 'read', query.groupId) && isFree(request, kind, 'write', query.groupId)) return store.listResources(query);
  const readable = new Set<string>();
  const writable = new Set<string>();
  const facts = rememberingReader(store);
  for (const { key, document } of await store.listResources(query, { secrets: 'omit' })) {
    if (await mayDoToResource(facts, request, 'read', key, document)) readable.add(nameOf(key));
    if (await mayDoToResource(facts, request, 'write', key, document)) writable.add(nameOf(key));
  }
  const resources = await store.listResources(query, { secrets: (key) => writable.has(nameOf(key)) });
  return resources.filter(({ key }) => readable.has(nameOf(key)));
}

function nameOf({ parentId, id }: ResourceKey): string {
  return JSON.stringify([parentId, id]);
}
