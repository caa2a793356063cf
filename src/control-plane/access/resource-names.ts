import type { Target } from './access.ts';

/** `arn:api7:gateway:gatewaygroup/<id>`. */
export function gatewayGroupName(groupId: string): string {
  return `arn:api7:gateway:gatewaygroup/${groupId}`;
}

/** What belongs to the organisation as a whole: login options, audit log, licence. */
export const ORGANIZATION = 'arn:api7:iam:organization/*';

/** Kinds of things that permissions of `iam:` speak of one by one. */
export type IamKind = 'user' | 'role' | 'permissionpolicy';

/** `arn:api7:iam:user/<id>`; `*` in place of the id for all of them, and for one that is yet to be made. */
export function iamName(kind: IamKind, id: string): string {
  return `arn:api7:iam:${kind}/${id}`;
}

/** A target that is one thing under one name, of which conditions can ask nothing. */
export function plainTarget(name: string): Target {
  return { names: [name], enclosing: [], facts: new Map() };
}

/**
 * The resource names of something in a gateway group, by the noun of its permission (`Consumer` of `gateway:GetConsumer`).
 *
 * API7 names published services and consumers one by one (credentials by their consumer), and everything else by its group. Policies that
 * were written before 3.9 name consumers by their group too, so that an allow of the group counts for those.
 */
export function gatewayTarget(groupId: string, noun: string, id: string, facts: Target['facts']): Target {
  const group = gatewayGroupName(groupId);
  switch (noun) {
    case 'PublishedService':
      return { names: [`${group}/publishedservice/${id}`], enclosing: [group], facts };
    case 'Consumer':
    case 'ConsumerCredential':
      return { names: [`${group}/consumer/${id}`, group], enclosing: [], facts };
    default:
      return { names: [group], enclosing: [], facts };
  }
}

/** The noun of an action: `Consumer` of `gateway:GetConsumer`. */
export function nounOf(action: string): string {
  return action.replace(/^[a-z]+:(Get|Create|Update|Delete|Put|Connect|Disconnect)?/, '');
}
