import { RESOURCE_KINDS, type ResourceKind, type ResourceKindName } from '../../schema/index.ts';
import type { ApiRoute, RoutePermission } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { deleteResource } from './delete-resource.ts';
import { getResource, listResources } from './read-resource.ts';
import { collectionPaths, resourcePath } from './resource-path.ts';
import { putResource } from './write-resource.ts';

/** What API7's policies call a kind, and writing it. Routes are part of their service. */
const PERMISSIONS: Readonly<Record<ResourceKindName, { readonly noun: string; readonly write: 'Update' | 'Put' }>> = {
  service: { noun: 'PublishedService', write: 'Update' },
  route: { noun: 'PublishedService', write: 'Update' },
  consumer: { noun: 'Consumer', write: 'Update' },
  credential: { noun: 'ConsumerCredential', write: 'Update' },
  global_rule: { noun: 'GlobalPluginRule', write: 'Update' },
  plugin_metadata: { noun: 'PluginMetadata', write: 'Update' },
  secret_provider: { noun: 'SecretProvider', write: 'Put' },
};

/** What API7's policies call a kind, in the names of permissions. */
export function permissionNoun(kind: ResourceKindName): string {
  return PERMISSIONS[kind].noun;
}

/** The operations on every kind of resource: GET list, GET one, PUT, DELETE. A new kind needs nothing here but the names of its permissions. */
export function resourceRoutes(context: ApiContext): readonly ApiRoute[] {
  return RESOURCE_KINDS.flatMap((kind) => collectionPaths(kind).flatMap((path) => routesOfKind(context, kind, path)));
}

function routesOfKind(context: ApiContext, kind: ResourceKind, collectionPath: string): readonly ApiRoute[] {
  const { noun, write } = PERMISSIONS[kind.name];
  const read: RoutePermission = `gateway:Get${noun}`;
  const path = resourcePath(kind, collectionPath);
  return [
    { method: 'GET', path: collectionPath, permission: read, handle: (request) => listResources(context, kind, request) },
    { method: 'GET', path, permission: read, handle: (request) => getResource(context, kind, request) },
    { method: 'PUT', path, permission: `gateway:${write}${noun}`, handle: (request) => putResource(context, kind, request) },
    { method: 'DELETE', path, permission: `gateway:Delete${noun}`, handle: (request) => deleteResource(context, kind, request) },
  ];
}
