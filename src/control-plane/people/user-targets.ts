import type { JsonObject } from '../../lib/json.ts';
import type { User } from '../../store/index.ts';
import { type Facts, iamName, type Policy, type Role, type Target } from '../access/index.ts';

/** A user as permissions see one. `*` is the id of one who is yet to be made. */
export function userTarget(user: Pick<User, 'id' | 'boundary' | 'profile'>): Target {
  return {
    names: [iamName('user', user.id)],
    enclosing: [],
    facts: new Map<string, ReadonlyMap<string, string> | readonly string[]>([
      ['user_label', labelsOf(user.profile.labels)],
      ['permission_boundaries', user.boundary],
    ]),
  };
}

/** A role as permissions see one. */
export function roleTarget(role: Pick<Role, 'id' | 'labels'>): Target {
  return { names: [iamName('role', role.id)], enclosing: [], facts: labelFacts('role_label', role.labels) };
}

/** A permission policy as permissions see one. */
export function policyTarget(policy: Pick<Policy, 'id' | 'labels'>): Target {
  return { names: [iamName('permissionpolicy', policy.id)], enclosing: [], facts: labelFacts('permission_policy_label', policy.labels) };
}

function labelFacts(name: string, labels: JsonObject | undefined): Facts {
  return new Map([[name, labelsOf(labels)]]);
}

function labelsOf(labels: unknown): ReadonlyMap<string, string> {
  const entries = typeof labels === 'object' && labels !== null ? Object.entries(labels) : [];
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
