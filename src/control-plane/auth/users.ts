import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Author, Store } from '../../store/index.ts';
import { hashPassword } from './password-hasher.ts';
import { randomPassword } from './random-text.ts';
import { endSessions } from './sessions.ts';

const COMMAND_LINE: Author = { id: 'cli', name: 'cli' };

/** What `resetPassword` needs. */
export interface ResetPasswordOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly username: string;
  /** Whether all tokens of the user end as well. */
  readonly revokeTokens: boolean;
}

/**
 * Gives a user a random password that must be changed at the next sign-in, and records that in the audit log. The password is
 * given back here and nowhere again.
 *
 * Sessions of the user end, and an open invite: whoever forgot a password may have lost it to somebody.
 *
 * @throws StartError when there is no such user, or the user signs in at an identity provider
 */
export async function resetPassword(options: ResetPasswordOptions): Promise<{ readonly password: string }> {
  const { store, clock, random, username, revokeTokens } = options;
  const now = Math.floor(clock.nowMs() / 1000);
  const password = randomPassword(random);
  const passwordHash = await hashPassword(random, password);
  await store.transaction(COMMAND_LINE, async (transaction) => {
    const user = await transaction.findUserByName(username);
    if (user === undefined) throw new StartError('There is no user of that name.');
    if (user.externalId !== undefined) throw new StartError('That user signs in at an identity provider and has no password here.');
    await transaction.putUser({ ...user, passwordHash, mustChangePassword: true });
    await endSessions(transaction, user.id);
    await transaction.deleteRecordsOf('invite', user.id);
    const tokens = revokeTokens ? (await transaction.listTokens(user.id)).filter(({ revokedAt }) => revokedAt === undefined) : [];
    for (const token of tokens) await transaction.putToken({ ...token, revokedAt: now });
    await transaction.appendAudit({
      at: now,
      author: COMMAND_LINE,
      action: 'user.reset-password',
      groupId: undefined,
      resource: `user/${user.id}`,
      address: undefined,
      detail: { username, ...(revokeTokens ? { revoked_tokens: tokens.length } : {}) },
    });
  });
  return { password };
}
