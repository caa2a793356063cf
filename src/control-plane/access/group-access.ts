import { type Access, compileAccess } from './access.ts';
import type { PolicyDocument } from './policy-document.ts';
import { gatewayGroupName } from './resource-names.ts';

/** The policy of everything that can be done in a gateway group, and to it. */
export function policyOfGroup(groupId: string): PolicyDocument {
  const name = gatewayGroupName(groupId);
  return { statement: [{ effect: 'allow', actions: ['gateway:*'], resources: [name, `${name}/*`] }] };
}

/** What the admin key of a gateway group may do. */
export function accessToGroup(groupId: string): Access {
  return compileAccess([policyOfGroup(groupId)], undefined);
}
