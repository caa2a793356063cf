import type { Random } from '../lib/random.ts';
import type { Author, StoreTransaction } from '../store/store.ts';
import { encodeSessions, parseSessions } from './history-sessions.ts';
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
 * not got all. The session in which they were published is forgotten (decision 6), since others may have given their numbers a second time: so
 * whoever has anything of it gets a snapshot. Revisions go on above all that were ever given, so that nobody takes that snapshot for an old one.
 * Of several control planes that find out one does it.
 */
export async function leadOnAfterLoss(options: {
  readonly store: LeapingStore;
  readonly random: Random;
  /** The session of the control plane that has found out. */
  readonly historyId: string;
  /** By group: a revision that it had. */
  readonly known: ReadonlyMap<string, number>;
}): Promise<void> {
  const { store, random, historyId, known } = options;
  await store.transaction(SYSTEM, async (transaction) => {
    const groups = await transaction.listGroups();
    const sessions = parseSessions(await transaction.getSetting(SESSIONS_SETTING));
    // Where another one has begun since, somebody has done it; where the store was set back to a time before this one, perhaps nobody.
    const isPresent = sessions.at(-1)?.id === historyId;
    if (!isPresent && !groups.some(({ id, revision }) => revision < (known.get(id) ?? 0))) return;
    const kept = encodeSessions(sessions.filter(({ id }) => id !== historyId));
    await transaction.putSetting(SESSIONS_SETTING, appendSession(kept, groups, random), { secret: false });
    await transaction.leapRevisions(LEAP);
  });
}
