import { PortcullisError } from '../../errors/index.ts';
import type { ResourceKind } from '../../schema/index.ts';
import type { ApiAnswer, ApiRequest } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { isNotModified } from './preconditions.ts';
import { entityTag, presentResource } from './present-resource.ts';
import { resourceKeyOf } from './resource-path.ts';

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
