import { RESOURCE_KINDS, type ResourceKind, type ResourceKindName } from '../../schema/index.ts';
import type { ApiRoute, RoutePermission } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { LongLists } from './long-lists.ts';
import { type ResourceOperations, resourceOperations } from './resource-operations.ts';
import { collectionPaths, resourcePath } from './resource-path.ts';
import { SERVICE_UPSTREAM_OPERATIONS } from './service-upstreams.ts';

type Writing = 'Create' | 'Update' | 'Put';

/** What API7's policies call a kind, and writing it. Routes and upstreams are part of their service. */
const PERMISSIONS: Readonly<Record<ResourceKindName, { readonly noun: string; readonly create: Writing; readonly update: Writing }>> = {
  service: { noun: 'PublishedService', create: 'Create', update: 'Update' },
  upstream: { noun: 'PublishedService', create: 'Update', update: 'Update' },
  route: { noun: 'PublishedService', create: 'Update', update: 'Update' },
  stream_route: { noun: 'PublishedService', create: 'Update', update: 'Update' },
  consumer: { noun: 'Consumer', create: 'Create', update: 'Update' },
  credential: { noun: 'ConsumerCredential', create: 'Create', update: 'Update' },
  ssl: { noun: 'Certificate', create: 'Create', update: 'Update' },
  certificate: { noun: 'Certificate', create: 'Create', update: 'Update' },
  ca_certificate: { noun: 'Certificate', create: 'Create', update: 'Update' },
  sni: { noun: 'SNI', create: 'Create', update: 'Update' },
  global_rule: { noun: 'GlobalPluginRule', create: 'Create', update: 'Update' },
  plugin_metadata: { noun: 'PluginMetadata', create: 'Update', update: 'Update' },
  proto: { noun: 'Proto', create: 'Create', update: 'Update' },
  secret_provider: { noun: 'SecretProvider', create: 'Put', update: 'Put' },
  gateway_group: { noun: 'GatewayGroup', create: 'Create', update: 'Update' },
};

/** What API7's policies call a kind, in the names of permissions. */
export function permissionNoun(kind: ResourceKindName): string {
  return PERMISSIONS[kind].noun;
}

/** The operations on every kind of resource of a group. A new kind needs nothing here but the names of its permissions. */
export function resourceRoutes(context: ApiContext): readonly ApiRoute[] {
  const usual = resourceOperations(new LongLists(context.clock));
  return RESOURCE_KINDS.flatMap((kind) => {
    const operations = kind.name === 'upstream' ? SERVICE_UPSTREAM_OPERATIONS : usual;
    return collectionPaths(kind).flatMap((path) => routesOfKind(context, kind, path, operations));
  });
}

function routesOfKind(context: ApiContext, kind: ResourceKind, list: string, operations: ResourceOperations): readonly ApiRoute[] {
  const { noun, create, update } = PERMISSIONS[kind.name];
  const { isCreatable } = kind;
  const one = resourcePath(kind, list);
  const route = (method: ApiRoute['method'], path: string, permission: RoutePermission, operation: keyof ResourceOperations): ApiRoute => ({
    groupScoped: true,
    method,
    path,
    permission,
    handle: (request) => operations[operation](context, kind, request),
  });
  return [
    route('GET', list, `gateway:Get${noun}`, 'list'),
    ...(isCreatable ? [route('POST', list, `gateway:${create}${noun}`, 'create')] : []),
    route('GET', one, `gateway:Get${noun}`, 'get'),
    route('PUT', one, `gateway:${update}${noun}`, 'put'),
    route('PATCH', one, `gateway:${update}${noun}`, 'patch'),
    route('DELETE', one, `gateway:Delete${noun}`, 'remove'),
  ];
}
