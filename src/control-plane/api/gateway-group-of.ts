import { PortcullisError } from '../../errors/index.ts';
import type { GatewayGroup, StoreReader } from '../../store/index.ts';
import type { ApiRequest } from '../http/index.ts';

/**
 * The gateway group that a request under `/apisix/admin/` works on.
 *
 * A group's own admin key says which one it is. @throws PortcullisError 400 when `gateway_group_id` is missing or repeated, 403 when it is
 * not that of the caller's admin key, 404 when there is no such group
 */
export async function gatewayGroupOf(store: Pick<StoreReader, 'getGroup'>, request: ApiRequest): Promise<GatewayGroup> {
  const ids = request.query.getAll('gateway_group_id');
  const ownId = request.caller?.groupId;
  const id = ids[0] === undefined || ids[0] === '' ? (ownId ?? '') : ids[0];
  if (id === '') throw new PortcullisError('admin_invalid', { publicMessage: 'the query parameter gateway_group_id is required' });
  if (ids.length > 1) throw new PortcullisError('admin_invalid', { publicMessage: 'the query parameter gateway_group_id is repeated' });
  if (ownId !== undefined && id !== ownId) {
    throw new PortcullisError('admin_forbidden', { publicMessage: 'the admin key is that of another gateway group' });
  }
  const group = await store.getGroup(id);
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  return group;
}
