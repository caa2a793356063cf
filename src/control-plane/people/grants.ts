import { PortcullisError } from '../../errors/index.ts';
import type { StoreTransaction, User } from '../../store/index.ts';
import {
  documentsOfPolicies,
  documentsOfRoles,
  findPolicy,
  findRole,
  hasAllOf,
  type PolicyDocument,
  type Role,
  SUPER_ADMIN_ROLE,
} from '../access/index.ts';
import type { UserCaller } from '../auth/index.ts';
import { invalidAt } from './people-context.ts';

/** Whether a user may do everything, with nothing to bound it. */
export function isSuperAdmin(user: Pick<User, 'roles' | 'boundary'>): boolean {
  return user.roles.includes(SUPER_ADMIN_ROLE) && user.boundary.length === 0;
}

/**
 * Nobody gives away more than he has: the policies must allow nothing that the caller may not do.
 *
 * @throws PortcullisError 403
 */
export function requireGrantable(caller: UserCaller, policies: readonly PolicyDocument[]): void {
  if (isSuperAdmin(caller.user) || hasAllOf(caller.access, policies)) return;
  throw new PortcullisError('admin_forbidden', { publicMessage: 'Forbidden: this would give more permissions than you have yourself' });
}

/**
 * Nobody rules over somebody who may do more: whoever can reset a password or change roles could act as that user.
 *
 * @throws PortcullisError 403
 */
export async function requireNoGreater(
  transaction: StoreTransaction,
  caller: UserCaller,
  user: Pick<User, 'roles' | 'boundary'>,
): Promise<void> {
  if (isSuperAdmin(caller.user) || hasAllOf(caller.access, await documentsOfRoles(transaction, user.roles))) return;
  if (user.boundary.length > 0 && hasAllOf(caller.access, await documentsOfPolicies(transaction, user.boundary))) return;
  throw new PortcullisError('admin_forbidden', { publicMessage: 'Forbidden: that user has permissions that you do not have' });
}

/**
 * Nobody but a super admin changes what decides his own permissions: his roles, his boundary, and the policies of either.
 *
 * @throws PortcullisError 403
 */
export async function refuseOwnPolicies(transaction: StoreTransaction, caller: UserCaller, policyIds: readonly string[]): Promise<void> {
  if (isSuperAdmin(caller.user)) return;
  const roles = await Promise.all(caller.user.roles.map((id) => findRole(transaction, id)));
  const own = new Set([...caller.user.boundary, ...roles.flatMap((role) => role?.policies ?? [])]);
  if (policyIds.some((id) => own.has(id))) throw ownPermissions();
}

/** As `refuseOwnPolicies`, for a role. @throws PortcullisError 403 */
export function refuseOwnRole(caller: UserCaller, roleId: string): void {
  if (!isSuperAdmin(caller.user) && caller.user.roles.includes(roleId)) throw ownPermissions();
}

/** As `refuseOwnPolicies`, for the roles and boundary of a user. @throws PortcullisError 403 */
export function refuseOneself(caller: UserCaller, user: User): void {
  if (!isSuperAdmin(caller.user) && caller.user.id === user.id) throw ownPermissions();
}

/**
 * What a deny takes away, only a super admin gives back: who else could tell whom it was meant for?
 *
 * @throws PortcullisError 403 when one of the policies denies something
 */
export function refuseDenying(caller: UserCaller, policies: readonly PolicyDocument[]): void {
  const denies = policies.some(({ statement }) => statement.some(({ effect }) => effect === 'deny'));
  if (!denies || isSuperAdmin(caller.user)) return;
  const publicMessage = 'Forbidden: only a super admin changes, detaches or removes a policy with a deny statement';
  throw new PortcullisError('admin_forbidden', { publicMessage });
}

/** @throws PortcullisError 409 when nobody would be left who may do everything and can sign in by password */
export async function keepSuperAdmin(transaction: StoreTransaction): Promise<void> {
  const users = await transaction.listUsers();
  if (users.some((user) => isSuperAdmin(user) && user.externalId === undefined && user.passwordHash !== '')) return;
  const publicMessage = 'this is the last super admin who can sign in by password: make another one first';
  throw new PortcullisError('admin_conflict', { publicMessage });
}

/** The roles of these ids. @throws PortcullisError 400 that names those that do not exist */
export async function requireRoles(transaction: StoreTransaction, ids: readonly string[], pointer: string): Promise<readonly Role[]> {
  const roles = await Promise.all(ids.map((id) => findRole(transaction, id)));
  const missing = roles.indexOf(undefined);
  if (missing >= 0) throw invalidAt(`${pointer}/${missing}`, 'there is no such role');
  return roles.filter((role) => role !== undefined);
}

/** The documents of these policies. @throws PortcullisError 400 that names one that does not exist */
export async function requirePolicies(
  transaction: StoreTransaction,
  ids: readonly string[],
  pointer: string,
): Promise<readonly PolicyDocument[]> {
  const policies = await Promise.all(ids.map((id) => findPolicy(transaction, id)));
  const missing = policies.indexOf(undefined);
  if (missing >= 0) throw invalidAt(`${pointer}/${missing}`, 'there is no such permission policy');
  return policies.flatMap((policy) => (policy === undefined ? [] : [policy.document]));
}

function ownPermissions(): PortcullisError {
  return new PortcullisError('admin_forbidden', { publicMessage: 'Forbidden: nobody but a super admin changes his own permissions' });
}
