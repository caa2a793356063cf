import type { JsonObject } from '../../lib/json.ts';
import type { StoreReader, StoreTransaction, User } from '../../store/index.ts';
import { type Facts, iamName, type Policy, type Role, type Target } from '../access/index.ts';
import type { Action, ApiRequest } from '../http/index.ts';
import { requireNoGreater } from './grants.ts';
import { callerOf, notFound } from './people-context.ts';

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

/** The user whom the path names, when the caller may see him. @throws PortcullisError 403, 404 */
export async function visibleUser(store: Pick<StoreReader, 'getUser'>, request: ApiRequest): Promise<User> {
  const user = await store.getUser(request.parameters.get('id') ?? '');
  if (user === undefined) throw notFound('user');
  request.permit('iam:GetUser', userTarget(user));
  return user;
}

/** The user whom the path names, when the caller may do this to him, and has no fewer permissions than he. @throws PortcullisError 403, 404 */
export async function reachableUser(transaction: StoreTransaction, request: ApiRequest, permission: Action): Promise<User> {
  const user = await transaction.getUser(request.parameters.get('id') ?? '');
  if (user === undefined) throw notFound('user');
  request.permit(permission, userTarget(user));
  await requireNoGreater(transaction, callerOf(request), user);
  return user;
}
