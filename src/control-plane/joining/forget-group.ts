import type { StoreTransaction } from '../../store/index.ts';
import { JOIN_TOKEN_KIND } from './join-tokens.ts';

/** Takes away the join tokens of a group that is deleted. Its instances stay known until their certificates end: they belong to no group any more. */
export async function forgetGroup(transaction: StoreTransaction, groupId: string): Promise<void> {
  await transaction.deleteRecordsOf(JOIN_TOKEN_KIND, groupId);
}
