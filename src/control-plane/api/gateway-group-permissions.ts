import type { JsonObject } from '../../lib/json.ts';
import { gatewayGroupName, gatewayTarget, type Target } from '../access/index.ts';
import type { ApiRequest } from '../http/index.ts';
import type { GatewayGroupRecord } from './gateway-group-record.ts';
import { groupLabelFacts } from './permission-facts.ts';
import { actionOn, type Verb } from './resource-permissions.ts';

/**
 * Before anything of a group has been looked at: whether the caller may do this to a group of this id at all, whatever its labels are. `*` stands
 * for some group, and for one that is yet to be made.
 *
 * @throws PortcullisError 403
 */
export function permitGroupId(request: ApiRequest, verb: Verb, groupId: string): void {
  request.permitSome(actionOn('gateway_group', verb), gatewayGroupName(groupId));
}

/** @throws PortcullisError 403 unless the caller may do this to the gateway group with this document; `*` is the id of one that is yet to be made */
export function permitGroup(request: ApiRequest, verb: Verb, groupId: string, document: JsonObject): void {
  request.permit(actionOn('gateway_group', verb), targetOf(groupId, document));
}

/** Whether the caller may see the gateway group. */
export function mayReadGroup(request: ApiRequest, { group, resource }: GatewayGroupRecord): boolean {
  return request.mayDo(actionOn('gateway_group', 'read'), targetOf(group.id, resource.document));
}

function targetOf(groupId: string, { labels }: JsonObject): Target {
  return gatewayTarget(groupId, 'GatewayGroup', '', groupLabelFacts(labels));
}
