import { RESOURCE_KINDS, type ResourceKind, type ResourceKindName } from '../../schema/index.ts';
import type { ApiRoute, RoutePermission } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { deleteResource } from './delete-resource.ts';
import { getResource, listResources } from './read-resource.ts';
import { collectionPath, resourcePath } from './resource-path.ts';
import { putResource } from './write-resource.ts';

/** What API7's policies call a kind. Routes are part of their service. */
const PERMISSION_NOUNS: Readonly<Record<ResourceKindName, string>> = {
  service: 'PublishedService',
  route: 'PublishedService',
  consumer: 'Consumer',
  credential: 'ConsumerCredential',
};

/** The operations on every kind of resource: GET list, GET one, PUT, DELETE. A new kind needs nothing here but its permission's noun. */
export function resourceRoutes(context: ApiContext): readonly ApiRoute[] {
  return RESOURCE_KINDS.flatMap((kind) => routesOfKind(context, kind));
}

function routesOfKind(context: ApiContext, kind: ResourceKind): readonly ApiRoute[] {
  const permission = (verb: string): RoutePermission => `gateway:${verb}${PERMISSION_NOUNS[kind.name]}`;
  const path = resourcePath(kind);
  return [
    {
      method: 'GET',
      path: collectionPath(kind),
      permission: permission('Get'),
      handle: (request) => listResources(context, kind, request),
    },
    { method: 'GET', path, permission: permission('Get'), handle: (request) => getResource(context, kind, request) },
    { method: 'PUT', path, permission: permission('Update'), handle: (request) => putResource(context, kind, request) },
    { method: 'DELETE', path, permission: permission('Delete'), handle: (request) => deleteResource(context, kind, request) },
  ];
}
