import type { JsonObject } from '../../lib/json.ts';
import { resourceKind } from '../../schema/index.ts';
import type { GatewayGroup } from '../../store/index.ts';
import { gatewayGroupName, gatewayTarget } from '../access/index.ts';
import type { ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { mayReadGroup } from './gateway-group-permissions.ts';
import { readGatewayGroup } from './gateway-group-record.ts';
import { actionOn, allOfKind } from './resource-permissions.ts';
import { VisibleList } from './visible-list.ts';

/** Kinds that are counted by group. */
export const COUNTED_KINDS = ['ssl', 'consumer'] as const;

/**
 * `GET /api/gateway_groups/count/<what>`: how many there are in each gateway group, by its id; of what the caller may not see nothing is counted.
 * API7's paths; what is not public of it is the form of the answer.
 */
export function countRoutes(context: ApiContext): readonly ApiRoute[] {
  const kinds = COUNTED_KINDS.map(
    (name): ApiRoute => ({
      method: 'GET',
      path: `/api/gateway_groups/count/${name}`,
      permission: actionOn(name, 'read'),
      resource: { kind: 'some', of: () => allOfKind(name, '*') },
      handle: async (request) => countByGroup(context, request, (group) => countResources(context, request, name, group)),
    }),
  );
  const instances: ApiRoute = {
    method: 'GET',
    path: '/api/gateway_groups/count/gateway_instance',
    permission: 'gateway:GetGatewayInstance',
    resource: { kind: 'some', of: () => gatewayGroupName('*') },
    handle: async (request) => countByGroup(context, request, async (group) => countInstances(context, request, group)),
  };
  return [...kinds, instances];
}

async function countByGroup(
  { store }: ApiContext,
  request: ApiRequest,
  count: (group: GatewayGroup) => Promise<number>,
): Promise<{ readonly body: JsonObject }> {
  const counts: [string, number][] = [];
  for (const group of await store.listGroups()) {
    if (mayReadGroup(request, await readGatewayGroup(store, group))) counts.push([group.id, await count(group)]);
  }
  return { body: { value: Object.fromEntries(counts) } };
}

async function countResources(
  { store }: ApiContext,
  request: ApiRequest,
  name: (typeof COUNTED_KINDS)[number],
  { id: groupId }: GatewayGroup,
): Promise<number> {
  const list = new VisibleList(store, request, resourceKind(name), groupId);
  const part = { kind: 'page', offset: 0, limit: 1 } as const;
  return (await list.select({ groupId, kind: name, order: 'created', direction: 'ascending', part })).total;
}

/** Those that are connected to this control plane. */
async function countInstances({ publisher, registry }: ApiContext, request: ApiRequest, { id }: GatewayGroup): Promise<number> {
  const isSeen = request.mayDo('gateway:GetGatewayInstance', gatewayTarget(id, 'GatewayInstance', '', new Map()));
  if (!isSeen) return 0;
  const connected = [...publisher.instances(id), ...(await registry.list(id)).filter(({ isConnected }) => isConnected)];
  return new Set(connected.map(({ instanceId }) => instanceId)).size;
}
