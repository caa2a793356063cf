import { RESOURCE_KINDS, type ResourceKind, type ResourceKindName } from '../../schema/index.ts';
import type { ApiRequest, ApiRoute, RoutePermission } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { deleteResource } from './delete-resource.ts';
import { listDocuments, listResources } from './list-resources.ts';
import { LongLists } from './long-lists.ts';
import { getResource } from './read-resource.ts';
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

/** The operations on every kind of resource: GET list, GET one, PUT, DELETE. A new kind needs nothing here but the names of its permissions. */
export function resourceRoutes(context: ApiContext): readonly ApiRoute[] {
  const longLists = new LongLists(context.clock);
  return RESOURCE_KINDS.flatMap((kind) => collectionPaths(kind).flatMap((path) => routesOfKind(context, kind, path, longLists)));
}

function routesOfKind(context: ApiContext, kind: ResourceKind, collectionPath: string, longLists: LongLists): readonly ApiRoute[] {
  const { noun, write } = PERMISSIONS[kind.name];
  const read: RoutePermission = `gateway:Get${noun}`;
  const path = resourcePath(kind, collectionPath);
  const list = (request: ApiRequest) =>
    kind.form === 'document' ? listDocuments(context, kind, request) : listResources(context, kind, request, longLists);
  return [
    { method: 'GET', path: collectionPath, permission: read, handle: list },
    { method: 'GET', path, permission: read, handle: (request) => getResource(context, kind, request) },
    { method: 'PUT', path, permission: `gateway:${write}${noun}`, handle: (request) => putResource(context, kind, request) },
    { method: 'DELETE', path, permission: `gateway:Delete${noun}`, handle: (request) => deleteResource(context, kind, request) },
  ];
}
