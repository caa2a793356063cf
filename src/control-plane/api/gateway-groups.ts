import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { GatewayGroup } from '../../store/index.ts';
import type { ApiAnswer, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { listAnswer } from './paging.ts';

/** Reading of gateway groups. */
export function gatewayGroupRoutes({ store }: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/gateway_groups',
      permission: 'gateway:GetGatewayGroup',
      handle: async ({ query }) => listGroups(await store.listGroups(), query),
    },
    {
      method: 'GET',
      path: '/api/gateway_groups/:id',
      permission: 'gateway:GetGatewayGroup',
      handle: async ({ parameters }) => {
        const group = await store.getGroup(parameters.get('id') ?? '');
        if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
        return { body: { value: present(group) } };
      },
    },
  ];
}

/** `name` is exact and wins over `search`: ADC sends both and takes the first group of the answer for the one it named. */
function listGroups(groups: readonly GatewayGroup[], query: URLSearchParams): ApiAnswer {
  const name = query.get('name');
  const named = name === null ? groups : groups.filter((group) => group.name === name);
  return listAnswer(named, query, {
    present,
    texts: (group) => (name === null ? [group.id, group.name, group.description] : [query.get('search') ?? '']),
    createdAt: (group) => group.createdAt,
    updatedAt: (group) => group.updatedAt,
  });
}

function present(group: GatewayGroup): JsonObject {
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    type: 'api7_gateway',
    created_at: group.createdAt,
    updated_at: group.updatedAt,
  };
}
