import { RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import type { ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { deleteResource } from './delete-resource.ts';
import { getResource, listResources } from './read-resource.ts';
import { collectionPaths, resourcePath } from './resource-path.ts';
import { actionOn } from './resource-permissions.ts';
import { putResource } from './write-resource.ts';

/** The operations on every kind of resource: GET list, GET one, PUT, DELETE. A new kind needs nothing here but the names of its permissions. */
export function resourceRoutes(context: ApiContext): readonly ApiRoute[] {
  return RESOURCE_KINDS.flatMap((kind) => collectionPaths(kind).flatMap((path) => routesOfKind(context, kind, path)));
}

function routesOfKind(context: ApiContext, kind: ResourceKind, collectionPath: string): readonly ApiRoute[] {
  const path = resourcePath(kind, collectionPath);
  // Which resource a permission must cover depends on what is stored: a route counts as part of its service.
  const resource = { kind: 'handler' } as const;
  const read = { permission: actionOn(kind.name, 'read'), resource } as const;
  const write = { permission: actionOn(kind.name, 'write'), resource } as const;
  const remove = { permission: actionOn(kind.name, 'delete'), resource } as const;
  return [
    { method: 'GET', path: collectionPath, ...read, handle: (request) => listResources(context, kind, request) },
    { method: 'GET', path, ...read, handle: (request) => getResource(context, kind, request) },
    { method: 'PUT', path, ...write, handle: (request) => putResource(context, kind, request) },
    { method: 'DELETE', path, ...remove, handle: (request) => deleteResource(context, kind, request) },
  ];
}
