import { PortcullisError } from '../../errors/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type ResourceKind, resourceKind } from '../../schema/index.ts';
import type { GatewayGroup, ResourceKey, StoredResource, StoreReader } from '../../store/index.ts';
import { presentResource } from './present-resource.ts';

/** A group as a resource of its own: what was written of it, with a revision that is 0 until somebody writes it. */
export interface GatewayGroupRecord {
  readonly group: GatewayGroup;
  readonly resource: StoredResource;
}

/** The kind of the groups themselves. */
export const GATEWAY_GROUP: ResourceKind = resourceKind('gateway_group');

/** Where a group keeps what was written of it: among its own resources. */
export function gatewayGroupKey(groupId: string): ResourceKey {
  return { groupId, kind: GATEWAY_GROUP.name, parentId: '', id: groupId };
}

/** A group by its id. @throws PortcullisError 404 */
export async function requireGatewayGroup(
  reader: Pick<StoreReader, 'getGroup' | 'getResource'>,
  groupId: string,
): Promise<GatewayGroupRecord> {
  const group = await reader.getGroup(groupId);
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  return readGatewayGroup(reader, group);
}

/** What there is of a group; one that was never written through the Admin API has its name and description. */
export async function readGatewayGroup(reader: Pick<StoreReader, 'getResource'>, group: GatewayGroup): Promise<GatewayGroupRecord> {
  const key = gatewayGroupKey(group.id);
  const { name, description, createdAt, updatedAt } = group;
  const resource = await reader.getResource(key);
  return { group, resource: resource ?? { key, document: { name, description }, revision: 0, createdAt, updatedAt, unique: [] } };
}

/** A group as answers show it. */
export function presentGatewayGroup({ group, resource }: GatewayGroupRecord): JsonObject {
  return { ...presentResource(GATEWAY_GROUP, resource), created_at: group.createdAt };
}
