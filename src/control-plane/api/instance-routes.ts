import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { RegisteredInstance } from '../../store/index.ts';
import { gatewayTarget } from '../access/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import { instanceStatus } from '../instance-status.ts';
import type { ApiContext } from './api-context.ts';

/**
 * `GET /api/gateway_groups/{id}/instances`: every gateway of a group, to whichever control plane it is connected, and those that were lately.
 * API7's path and states.
 */
export function instanceRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/gateway_groups/:id/instances',
      permission: 'gateway:GetGatewayInstance',
      resource: { kind: 'handler' },
      handle: (request) => listInstances(context, request),
    },
  ];
}

async function listInstances({ store, registry, clock }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = request.parameters.get('id') ?? '';
  request.permit('gateway:GetGatewayInstance', gatewayTarget(groupId, 'GatewayInstance', '', new Map()));
  const group = await store.getGroup(groupId);
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  const instances = await registry.list(groupId);
  const list = instances.map((instance) => present(instance, group.revision, clock.nowMs()));
  return { body: { list, total: list.length } };
}

function present(instance: RegisteredInstance, newestRevision: number, nowMs: number): JsonObject {
  const { refused, compared, hostname, address, cores, workers } = instance;
  return {
    id: instance.instanceId,
    gateway_group_id: instance.groupId,
    status: instanceStatus(instance),
    ...{ hostname: hostname ?? '', ip: address ?? '', version: instance.softwareVersion },
    ...(cores === undefined ? {} : { cores }),
    ...(workers === undefined ? {} : { workers }),
    revision: instance.revision,
    lag: Math.max(0, newestRevision - instance.revision),
    ...(refused === undefined ? {} : { refused }),
    ...(compared === undefined ? {} : { compared }),
    control_plane: instance.controlPlaneId,
    connected_at: Math.floor(instance.connectedAtMs / 1000),
    last_heartbeat: Math.floor((nowMs - instance.silentMs) / 1000),
  };
}
