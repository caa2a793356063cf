import type { Random } from '../lib/random.ts';
import type { Author, StoreTransaction } from '../store/store.ts';
import { appendSession, SESSIONS_SETTING } from './open-history.ts';

/** A store whose groups may go on above revisions that it has lost. */
export interface LeapingStore {
  transaction<Result>(
    author: Author,
    work: (transaction: Pick<StoreTransaction, 'getSetting' | 'putSetting' | 'listGroups' | 'leapRevisions'>) => Promise<Result>,
  ): Promise<Result>;
}

/** More than any replica is behind, as for a restored backup. */
const LEAP = 1_000_000;
const SYSTEM: Author = { id: 'system', name: 'system' };

/**
 * Parts what a store holds from what it held before it lost its newest revisions, as a database does that fails over to a replica which had
 * not got all: what was published ends the session that it belongs to (decision 6), so that whoever has it gets a snapshot, and revisions go
 * on above all that were ever given, so that nobody takes that snapshot for an old one. Of several control planes that find out one does it.
 */
export async function leadOnAfterLoss(options: {
  readonly store: LeapingStore;
  readonly random: Random;
  readonly groupId: string;
  /** A revision that the group had. */
  readonly known: number;
}): Promise<void> {
  const { store, random, groupId, known } = options;
  await store.transaction(SYSTEM, async (transaction) => {
    const groups = await transaction.listGroups();
    if (!groups.some(({ id, revision }) => id === groupId && revision < known)) return;
    const sessions = appendSession(await transaction.getSetting(SESSIONS_SETTING), groups, random);
    await transaction.putSetting(SESSIONS_SETTING, sessions, { secret: false });
    await transaction.leapRevisions(LEAP);
  });
}
