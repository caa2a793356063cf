import { RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import type { ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { diffVersions, getVersion, listRevisions, listVersions } from './read-versions.ts';
import { collectionPaths, resourcePath } from './resource-path.ts';
import { permissionNoun } from './resource-routes.ts';
import { revertGroup } from './revert-group.ts';
import { revertResource } from './revert-resource.ts';

/**
 * History of every kind of resource and of whole groups. Reverting has a permission of its own, and bringing back credentials that were
 * ended has another one, on a path of its own.
 */
export function historyRoutes(context: ApiContext): readonly ApiRoute[] {
  const group = '/api/gateway_groups/:id';
  return [
    ...RESOURCE_KINDS.flatMap((kind) => collectionPaths(kind).flatMap((path) => routesOfKind(context, kind, resourcePath(kind, path)))),
    {
      method: 'GET',
      path: `${group}/revisions`,
      permission: 'gateway:GetGatewayGroupHistory',
      handle: (request) => listRevisions(context, request),
    },
    {
      method: 'POST',
      path: `${group}/revert`,
      permission: 'gateway:RevertGatewayGroup',
      handle: (request) => revertGroup(context, request, false),
    },
    {
      method: 'POST',
      path: `${group}/revert_and_revive`,
      permission: 'gateway:ReviveGatewayGroup',
      handle: (request) => revertGroup(context, request, true),
    },
  ];
}

function routesOfKind(context: ApiContext, kind: ResourceKind, path: string): readonly ApiRoute[] {
  const noun = permissionNoun(kind.name);
  const read = `gateway:Get${noun}History` as const;
  const reviving: ApiRoute = {
    method: 'POST',
    path: `${path}/revert_and_revive`,
    permission: `gateway:Revive${noun}`,
    handle: (request) => revertResource(context, kind, request, true),
  };
  return [
    { method: 'GET', path: `${path}/versions`, permission: read, handle: (request) => listVersions(context, kind, request) },
    { method: 'GET', path: `${path}/versions/:revision`, permission: read, handle: (request) => getVersion(context, kind, request) },
    { method: 'GET', path: `${path}/diff`, permission: read, handle: (request) => diffVersions(context, kind, request) },
    {
      method: 'POST',
      path: `${path}/revert`,
      permission: `gateway:Revert${noun}`,
      handle: (request) => revertResource(context, kind, request, false),
    },
    ...(kind.pluginSite === 'consumer' || kind.pluginSite === 'credential' ? [reviving] : []),
  ];
}
