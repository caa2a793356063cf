import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { gatewayTarget } from '../access/index.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from '../http/index.ts';
import type { ApiContext } from './api-context.ts';

/** `GET /api/gateway_groups/{id}/snapshot_export`: how the exports of a group's snapshots by this control plane go. */
export function snapshotExportRoutes(context: ApiContext): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/gateway_groups/:id/snapshot_export',
      permission: 'gateway:GetGatewayInstance',
      resource: { kind: 'handler' },
      handle: (request) => readExport(context, request),
    },
  ];
}

async function readExport({ store, exporter }: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const groupId = request.parameters.get('id') ?? '';
  request.permit('gateway:GetGatewayInstance', gatewayTarget(groupId, 'GatewayInstance', '', new Map()));
  const group = await store.getGroup(groupId);
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  if (exporter === undefined) return { body: { value: { status: 'off', failures: 0 } } };
  const state = exporter.states().find((each) => each.groupId === groupId);
  const { revision, exportedAtMs, failures = 0, lastFailure } = state ?? {};
  const value: JsonObject = {
    status: failures > 0 ? 'failing' : exportedAtMs === undefined ? 'pending' : 'exported',
    target: exporter.description,
    ...(revision === undefined ? {} : { revision, lag: Math.max(0, group.revision - revision) }),
    ...(exportedAtMs === undefined ? {} : { exported_at: Math.floor(exportedAtMs / 1000) }),
    failures,
    ...(lastFailure === undefined ? {} : { last_failure: lastFailure }),
  };
  return { body: { value } };
}
