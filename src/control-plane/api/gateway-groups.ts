import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { GatewayGroup } from '../../store/index.ts';
import { gatewayGroupName, plainTarget } from '../access/index.ts';
import type { ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { listAnswer } from './paging.ts';

/** Reading of gateway groups. */
export function gatewayGroupRoutes({ store }: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/gateway_groups',
      permission: 'gateway:GetGatewayGroup',
      resource: { kind: 'some', of: () => gatewayGroupName('*') },
      handle: async (request) => {
        const groups = (await store.listGroups()).filter(({ id }) =>
          request.mayDo('gateway:GetGatewayGroup', plainTarget(gatewayGroupName(id))),
        );
        return listAnswer(select(groups, request.query), request.query, present);
      },
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
function select(groups: readonly GatewayGroup[], query: URLSearchParams): readonly GatewayGroup[] {
  const name = query.get('name');
  if (name !== null) return groups.filter((group) => group.name === name);
  const search = query.get('search')?.toLowerCase() ?? '';
  return groups.filter((group) => group.name.toLowerCase().includes(search));
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
