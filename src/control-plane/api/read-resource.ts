import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind, ResourceKindName } from '../../schema/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { labelFilterOf } from './label-filter.ts';
import { listAnswer } from './paging.ts';
import { isNotModified } from './preconditions.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { parentIdOf, resourceKeyOf } from './resource-path.ts';

/** Query parameters by which a list is narrowed to what one resource owns. */
const OWNER_PARAMETERS: ReadonlyMap<ResourceKindName, { readonly parameter: string; readonly kind: ResourceKindName }> = new Map([
  ['route', { parameter: 'service_id', kind: 'service' }],
  ['stream_route', { parameter: 'service_id', kind: 'service' }],
]);

const NO_LABELS: ReadonlyMap<string, string> = new Map();

/** GET of one resource. */
export async function getResource(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(context.store, request);
  const key = resourceKeyOf(kind, group.id, request);
  const resource = await context.store.getResource(key);
  if (resource === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind.name} not found` });
  const headers = { etag: entityTag(resource.revision) };
  if (isNotModified(request, resource.revision)) return { status: 304, headers, body: undefined };
  return { headers, body: { value: presentResource(kind, resource) } };
}

/**
 * GET of a list, most recently updated first: all of a kind, or those with the labels and of the owner that the query names. Kinds that are
 * shown as documents come as one object by id, whole.
 */
export async function listResources(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(context.store, request);
  const parentId = parentIdOf(kind, request);
  if (kind.parent !== undefined) await requireParent(context, kind.parent, group.id, parentId);
  const labels = kind.isLabelled ? labelFilterOf(request.query) : NO_LABELS;
  const owner = OWNER_PARAMETERS.get(kind.name);
  const ownerId = owner === undefined ? null : request.query.get(owner.parameter);
  const resources =
    labels === undefined
      ? []
      : await context.store.listResources({
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

async function requireParent(context: ApiContext, kind: ResourceKindName, groupId: string, id: string): Promise<void> {
  const parent = await context.store.getResource({ groupId, kind, parentId: '', id }, { secrets: 'omit' });
  if (parent === undefined) throw new PortcullisError('admin_not_found', { publicMessage: `${kind} not found` });
}
