import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { resourceKind } from '../../schema/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';
import { readVisible } from './read-resource.ts';
import { actionOn, permitKind } from './resource-permissions.ts';

const SERVICE = resourceKind('service');

/**
 * `GET /api/gateway_groups/{id}/services/{service_id}/healthcheck`: what each gateway instance that is connected to this control plane takes the
 * nodes of a service for. API7's path; what is not public of it is the form of the answer.
 */
export function healthRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/gateway_groups/:id/services/:service_id/healthcheck',
      permission: actionOn('service', 'read'),
      resource: { kind: 'handler' },
      handle: (request) => readHealth(context, request),
    },
  ];
}

async function readHealth({ store, publisher }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = request.parameters.get('id') ?? '';
  const serviceId = request.parameters.get('service_id') ?? '';
  permitKind(request, SERVICE, 'read', groupId);
  if ((await store.getGroup(groupId)) === undefined)
    throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  await readVisible(store, SERVICE, request, { groupId, kind: 'service', parentId: '', id: serviceId });
  const value = publisher.instances(groupId).flatMap(({ instanceId, health }): JsonObject[] => {
    if (health === undefined) return [];
    const nodes = health.nodes.filter((node) => node.serviceId === serviceId);
    return [
      {
        instance_id: instanceId,
        reported_at: Math.floor(health.reportedAtMs / 1000),
        nodes: nodes.map(({ upstreamId, host, address, port, state }) => ({
          upstream_id: upstreamId ?? serviceId,
          host,
          ip: address,
          port,
          status: state,
        })),
        omitted_nodes: health.omitted,
      },
    ];
  });
  return { body: { value } };
}
