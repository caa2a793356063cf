import { PortcullisError } from '../../errors/index.ts';
import type { Random } from '../../lib/random.ts';
import type { StoreTransaction, User } from '../../store/index.ts';
import { findRole } from '../access/index.ts';
import { randomId } from '../auth/index.ts';
import { profileOf } from '../people/profile.ts';
import type { MappedUser } from './map-claims.ts';

/** By what a user of an identity provider is known: the login option and the subject, which alone is never used twice (OpenID Connect Core, 5.7). */
export function externalIdOf(optionId: string, subject: string): string {
  return `${optionId}:${subject}`;
}

/**
 * Makes or renews the user whom a provider vouches for. Names and e-mail addresses identify nobody: a user who exists already under the
 * name, by invitation or from another provider, is not touched.
 *
 * @throws PortcullisError 409 when the name is somebody else's
 */
export async function putExternalUser(
  transaction: StoreTransaction,
  random: Random,
  externalId: string,
  mapped: MappedUser,
  now: number,
): Promise<User> {
  const known = await transaction.findUserByExternalId(externalId);
  const namesake = await transaction.findUserByName(mapped.username);
  if (namesake !== undefined && namesake.id !== known?.id) {
    throw new PortcullisError('admin_conflict', { publicMessage: `another user has the name ${mapped.username} here` });
  }
  const { labels, desc } = known?.profile ?? {};
  const user: User = {
    id: known?.id ?? randomId(random),
    username: mapped.username,
    // Empty: there is no password.
    passwordHash: '',
    mustChangePassword: false,
    roles: mapped.roles === undefined ? (known?.roles ?? []) : await existingRoles(transaction, mapped.roles),
    // One that is gone stays: it then allows nothing, where leaving it out would take the bound away.
    boundary: mapped.boundary ?? known?.boundary ?? [],
    externalId,
    profile: profileOf({ name: mapped.name, email: mapped.email, desc, labels }),
    createdAt: known?.createdAt ?? now,
    updatedAt: now,
  };
  await transaction.putUser(user);
  return user;
}

async function existingRoles(transaction: StoreTransaction, ids: readonly string[]): Promise<readonly string[]> {
  const roles = await Promise.all(ids.map((id) => findRole(transaction, id)));
  return roles.flatMap((role) => (role === undefined ? [] : [role.id]));
}
