import { PortcullisError } from '../../errors/index.ts';
import { RESOURCE_KINDS, type ResourceKind } from '../../schema/index.ts';
import type { ResourceKey } from '../../store/index.ts';
import { policyOfGroup } from '../access/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { callerOf, requireGrantable } from '../people/index.ts';
import type { ApiContext } from './api-context.ts';
import { gatewayGroupOf } from './gateway-group-of.ts';
import { GATEWAY_GROUP, gatewayGroupKey, requireGatewayGroup } from './gateway-group-record.ts';
import { diffVersions, getVersion, listRevisions, listVersions, versionInPath } from './read-versions.ts';
import { collectionPaths, resourceKeyOf, resourcePath } from './resource-path.ts';
import { actionOn, permitWholeKind, type Verb } from './resource-permissions.ts';
import { revertGroup } from './revert-group.ts';
import { revertResource } from './revert-resource.ts';
import { updateGatewayGroup } from './write-gateway-group.ts';

/**
 * History of every kind of resource and of whole groups. Reverting has a permission of its own, and bringing back credentials that were
 * ended has another one, on a path of its own.
 */
export function historyRoutes(context: ApiContext): readonly ApiRoute[] {
  const group = '/api/gateway_groups/:id';
  return [
    ...RESOURCE_KINDS.flatMap((kind) => collectionPaths(kind).flatMap((path) => routesOfKind(context, kind, resourcePath(kind, path)))),
    ...routesOfGroup(context, group),
    {
      method: 'GET',
      path: `${group}/revisions`,
      permission: 'gateway:GetGatewayGroupHistory',
      handle: (request) => listRevisions(context, request),
    },
    {
      method: 'POST',
      path: `${group}/revert`,
      canBeTried: true,
      permission: 'gateway:RevertGatewayGroup',
      handle: (request) => revertWholeGroup(context, request, false),
    },
    {
      method: 'POST',
      path: `${group}/revert_and_revive`,
      canBeTried: true,
      permission: 'gateway:ReviveGatewayGroup',
      handle: (request) => revertWholeGroup(context, request, true),
    },
  ];
}

/** History of what was written of a group itself. Of a group that is deleted nothing is left. */
function routesOfGroup(context: ApiContext, group: string): readonly ApiRoute[] {
  const reading = (below: string, read: typeof listVersions): ApiRoute => ({
    method: 'GET',
    path: `${group}/${below}`,
    permission: 'gateway:GetGatewayGroupHistory',
    handle: async (request) => read(context, GATEWAY_GROUP, await keyOfGroup(context, request), request),
  });
  return [
    reading('versions', listVersions),
    reading('versions/:revision', getVersion),
    reading('diff', diffVersions),
    {
      method: 'POST',
      path: `${group}/versions/:revision/revert`,
      permission: 'gateway:RevertGatewayGroup',
      canBeTried: true,
      handle: async (request) => {
        const key = await keyOfGroup(context, request);
        const { document } = await versionInPath(context, GATEWAY_GROUP, key, request);
        return updateGatewayGroup(context, request, key.groupId, () => document ?? {}, 'revert');
      },
    },
  ];
}

async function keyOfGroup({ store }: ApiContext, { parameters }: ApiRequest): Promise<ResourceKey> {
  const { group } = await requireGatewayGroup(store, parameters.get('id') ?? '');
  return gatewayGroupKey(group.id);
}

function routesOfKind(context: ApiContext, kind: ResourceKind, path: string): readonly ApiRoute[] {
  const route = (
    method: ApiRoute['method'],
    below: string,
    verb: Verb,
    handle: (request: ApiRequest, key: ResourceKey) => Promise<ApiAnswer>,
  ): ApiRoute => ({
    groupScoped: true,
    canBeTried: true,
    method,
    path: `${path}/${below}`,
    permission: actionOn(kind.name, verb),
    resource: { kind: 'handler' },
    handle: async (request) => {
      const group = await gatewayGroupOf(context.store, request);
      permitWholeKind(request, kind, verb, group.id);
      // Bringing something back is a write of it.
      if (verb !== 'read history') permitWholeKind(request, kind, 'write', group.id);
      await refuseInnerUpstream(context, kind, request);
      return handle(request, resourceKeyOf(kind, group.id, request));
    },
  });
  const reviving = route('POST', 'revert_and_revive', 'revive', (request) => revertResource(context, kind, request, true));
  return [
    route('GET', 'versions', 'read history', (request, key) => listVersions(context, kind, key, request)),
    route('GET', 'versions/:revision', 'read history', (request, key) => getVersion(context, kind, key, request)),
    route('GET', 'diff', 'read history', (request, key) => diffVersions(context, kind, key, request)),
    route('POST', 'revert', 'revert', (request) => revertResource(context, kind, request, false)),
    ...(kind.pluginSite === 'consumer' || kind.pluginSite === 'credential' ? [reviving] : []),
  ];
}

/** The upstream inside a service is a part of it, in its history too. @throws PortcullisError 404 */
async function refuseInnerUpstream(context: ApiContext, kind: ResourceKind, request: ApiRequest): Promise<void> {
  const { parameters } = request;
  if (kind.name !== 'upstream' || parameters.get('id') !== parameters.get('parent')) return;
  await gatewayGroupOf(context.store, request);
  const publicMessage = 'the upstream inside a service has no history of its own: it is in that of the service';
  throw new PortcullisError('admin_not_found', { publicMessage });
}

/** For who may do everything in the group himself, because everything in it may change. @throws PortcullisError 403 */
async function revertWholeGroup(context: ApiContext, request: ApiRequest, isReviving: boolean): Promise<ApiAnswer> {
  requireGrantable(callerOf(request), [policyOfGroup(request.parameters.get('id') ?? '')]);
  return revertGroup(context, request, isReviving);
}
