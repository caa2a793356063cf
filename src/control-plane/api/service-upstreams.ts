import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { isJsonObject, type ResourceKind, resourceKind } from '../../schema/index.ts';
import type { ResourceKey, StoredResource } from '../../store/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { deleteResource } from './delete-resource.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { listAnswer } from './paging.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { getResource } from './read-resource.ts';
import { parentIdOf, parentKeyOf, resourceKeyOf } from './resource-path.ts';
import { putResource } from './write-resource.ts';

/**
 * The upstreams of a service. The one written inside it has the service's id and is the first of the list, as in API7, where clients (ADC)
 * leave it out; it is changed with its service. All others are resources of their own.
 */
export function serviceUpstreamRoutes(context: ApiContext): readonly ApiRoute[] {
  const kind = resourceKind('upstream');
  const list = '/apisix/admin/services/:parent/upstreams';
  const one = `${list}/:id`;
  const [read, write] = ['gateway:GetPublishedService', 'gateway:UpdatePublishedService'] as const;
  return [
    { method: 'GET', path: list, permission: read, handle: (request) => listUpstreams(context, kind, request) },
    { method: 'GET', path: one, permission: read, handle: (request) => getUpstream(context, kind, request) },
    { method: 'PUT', path: one, permission: write, handle: async (request) => putResource(context, kind, besideInline(request)) },
    { method: 'DELETE', path: one, permission: write, handle: async (request) => deleteResource(context, kind, besideInline(request)) },
  ];
}

async function listUpstreams(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  const group = await gatewayGroupOf(context.store, request);
  const parentId = parentIdOf(kind, request);
  const service = await serviceOf(context, { groupId: group.id, kind: 'service', parentId: '', id: parentId });
  const others = await context.store.listResources({ groupId: group.id, kind: kind.name, parentId });
  const inline = inlineUpstream(service);
  const all = [...(inline === undefined ? [] : [inline]), ...others.map((resource) => presentResource(kind, resource))];
  return listAnswer(all, request.query, (upstream) => upstream);
}

async function getUpstream(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<ApiAnswer> {
  if (!isInline(request)) return getResource(context, kind, request);
  const group = await gatewayGroupOf(context.store, request);
  const key = parentKeyOf(kind, resourceKeyOf(kind, group.id, request));
  const service = key === undefined ? undefined : await serviceOf(context, key);
  const inline = service === undefined ? undefined : inlineUpstream(service);
  if (service === undefined || inline === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'upstream not found' });
  return { headers: { etag: entityTag(service.revision) }, body: { value: inline } };
}

/** @throws PortcullisError 400 for the upstream inside the service */
function besideInline(request: ApiRequest): ApiRequest {
  if (!isInline(request)) return request;
  throw new PortcullisError('admin_invalid', { publicMessage: 'the upstream with the id of its service is written inside the service' });
}

function isInline({ parameters }: ApiRequest): boolean {
  return parameters.get('id') === parameters.get('parent');
}

async function serviceOf({ store }: ApiContext, key: ResourceKey): Promise<StoredResource> {
  const service = await store.getResource(key, { secrets: 'omit' });
  if (service === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'service not found' });
  return service;
}

function inlineUpstream({ key, document }: StoredResource): JsonObject | undefined {
  return isJsonObject(document.upstream) ? { ...document.upstream, id: key.id } : undefined;
}
