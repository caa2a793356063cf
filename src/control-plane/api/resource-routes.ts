import { RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import type { ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { LongLists } from './long-lists.ts';
import { putByBody } from './put-by-body.ts';
import { type ResourceOperations, resourceOperations } from './resource-operations.ts';
import { collectionPaths, isNamedByBody, resourcePath } from './resource-path.ts';
import { actionOn, type Verb } from './resource-permissions.ts';
import { SERVICE_UPSTREAM_OPERATIONS } from './service-upstreams.ts';

/** The operations on every kind of resource of a group. A new kind needs nothing here but the names of its permissions. */
export function resourceRoutes(context: ApiContext): readonly ApiRoute[] {
  const usual = resourceOperations(new LongLists(context.clock));
  return RESOURCE_KINDS.flatMap((kind) => {
    const operations = kind.name === 'upstream' ? SERVICE_UPSTREAM_OPERATIONS : usual;
    return collectionPaths(kind).flatMap((path) => routesOfKind(context, kind, path, operations));
  });
}

function routesOfKind(context: ApiContext, kind: ResourceKind, list: string, operations: ResourceOperations): readonly ApiRoute[] {
  const one = resourcePath(kind, list);
  const route = (method: ApiRoute['method'], path: string, verb: Verb, operation: keyof ResourceOperations): ApiRoute => ({
    groupScoped: true,
    canBeTried: true,
    method,
    path,
    permission: actionOn(kind.name, verb),
    // Which resource a permission must cover depends on what is stored: a route counts as part of its service.
    resource: { kind: 'handler' },
    handle: (request) => operations[operation](context, kind, request),
  });
  const byBody: ApiRoute['handle'] = (request) => putByBody(operations.put, context, kind, request);
  return [
    route('GET', list, 'read', 'list'),
    ...(kind.isCreatable ? [route('POST', list, 'create', 'create')] : []),
    ...(isNamedByBody(kind) ? [{ ...route('PUT', list, 'write', 'put'), handle: byBody }] : []),
    route('GET', one, 'read', 'get'),
    route('PUT', one, 'write', 'put'),
    route('PATCH', one, 'write', 'patch'),
    route('DELETE', one, 'delete', 'remove'),
  ];
}
