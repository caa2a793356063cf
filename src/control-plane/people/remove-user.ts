import type { StoreTransaction, User } from '../../store/index.ts';
import { SESSION_KIND } from '../auth/index.ts';

/** Removes a user with everything that lets anybody in as that user: sessions, invite and tokens end with this transaction. */
export async function removeUser(transaction: StoreTransaction, user: User, now: number): Promise<void> {
  await transaction.deleteRecordsOf(SESSION_KIND, user.id);
  await transaction.deleteRecordsOf('invite', user.id);
  for (const token of await transaction.listTokens(user.id)) {
    if (token.revokedAt === undefined) await transaction.putToken({ ...token, revokedAt: now });
  }
  await transaction.deleteUser(user.id);
}
