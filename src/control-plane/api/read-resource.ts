import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind, ResourceKindName } from '../../schema/index.ts';
import type { ResourceKey, ResourceQuery, StoredResource, StoreReader } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { labelFilterOf } from './label-filter.ts';
import { listAnswer } from './paging.ts';
import { rememberingReader } from './permission-facts.ts';
import { isNotModified } from './preconditions.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { parentIdOf, resourceKeyOf } from './resource-path.ts';
import { isFree, mayDoToResource, permitKind, permitResource } from './resource-permissions.ts';

/** Query parameters by which a list is narrowed to what one resource owns. */
const OWNER_PARAMETERS: ReadonlyMap<ResourceKindName, { readonly parameter: string; readonly kind: ResourceKindName }> = new Map([
  ['route', { parameter: 'service_id', kind: 'service' }],
  ['stream_route', { parameter: 'service_id', kind: 'service' }],
]);

const NO_LABELS: ReadonlyMap<string, string> = new Map();

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

/**
 * GET of a list, most recently updated first: all of a kind, or those with the labels and of the owner that the query names. Kinds that are
 * shown as documents come as one object by id, whole.
 */
export async function listResources(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(context.store, request);
  permitKind(request, kind, 'read', group.id);
  const parentId = parentIdOf(kind, request);
  if (kind.parent !== undefined) await requireParent(context, kind.parent, group.id, parentId);
  const labels = kind.isLabelled ? labelFilterOf(request.query) : NO_LABELS;
  const owner = OWNER_PARAMETERS.get(kind.name);
  const ownerId = owner === undefined ? null : request.query.get(owner.parameter);
  const resources =
    labels === undefined
      ? []
      : await listVisible(context.store, request, {
          groupId: group.id,
          kind: kind.name,
          ...(kind.parent === undefined ? {} : { parentId }),
          ...(owner === undefined || ownerId === null ? {} : { owner: { kind: owner.kind, id: ownerId } }),
          ...(labels.size === 0 ? {} : { labels }),
        });
  if (kind.form === 'document') {
    return { body: { value: Object.fromEntries(resources.map((resource) => [resource.key.id, presentResource(kind, resource)])) } };
  }
  return listAnswer(resources, request.query, (resource) => presentResource(kind, resource));
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

async function requireParent(context: ApiContext, kind: ResourceKindName, groupId: string, id: string): Promise<void> {
  const parent = await context.store.getResource({ groupId, kind, parentId: '', id }, { secrets: 'omit' });
  if (parent === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind} not found` });
}
