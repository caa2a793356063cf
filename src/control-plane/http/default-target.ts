import { gatewayGroupName, gatewayTarget, iamName, nounOf, ORGANIZATION, plainTarget, type Target } from '../access/index.ts';
import type { Action, ApiRequest } from './api-route.ts';
import { groupIdOf } from './group-id-of.ts';

/**
 * What a route's action is done to, where the route does not say: read from the gateway group in the query or path and the first path
 * parameter. A path without parameter is about all of the kind (`…/*`). Facts are unknown, so that conditions let nobody through.
 */
export function defaultTarget(action: Action, path: string, request: ApiRequest): Target {
  const [first = '*'] = request.parameters.values();
  const noun = nounOf(action);
  if (action.startsWith('iam:')) return { ...plainTarget(iamNameOf(noun, first)), facts: undefined };
  if (path.startsWith('/api/gateway_groups')) {
    const [, second = '*'] = request.parameters.values();
    return gatewayTarget(first, noun, second, undefined);
  }
  const groupId = groupIdOf(request);
  if (groupId !== undefined) return gatewayTarget(groupId, noun, first, undefined);
  return { ...plainTarget(nameWithoutGroup(noun, first)), facts: undefined };
}

function iamNameOf(noun: string, id: string): string {
  if (noun.endsWith('Role') && noun !== 'UserRole') return iamName('role', id);
  if (noun === 'PermissionPolicy') return iamName('permissionpolicy', id);
  if (['User', 'UserRole', 'InviteUser', 'ResetPassword'].includes(noun)) return iamName('user', id);
  return ORGANIZATION;
}

function nameWithoutGroup(noun: string, id: string): string {
  if (noun === 'GatewayGroup' || noun.startsWith('GatewayInstance')) return gatewayGroupName(id);
  if (noun === 'ServiceTemplate') return `arn:api7:gateway:servicetemplate/${id}`;
  if (noun === 'AlertPolicy' || noun === 'WebhookTemplate') return 'arn:api7:gateway:alert/*';
  return 'arn:api7:gateway:gatewaysetting/*';
}
