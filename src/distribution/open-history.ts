import type { Random } from '../lib/random.ts';
import type { Author, StoreTransaction } from '../store/store.ts';
import { beginSession, type ConfigurationHistory, encodeSessions, isInSession, parseSessions } from './history-sessions.ts';

/** The part of a store that keeps the sessions of its control planes. */
export interface HistoryStore {
  transaction<Result>(
    author: Author,
    work: (transaction: Pick<StoreTransaction, 'getSetting' | 'putSetting' | 'listGroups'>) => Promise<Result>,
  ): Promise<Result>;
}

/** The setting in which a store keeps the sessions of its control planes. */
export const SESSIONS_SETTING = 'history-sessions';
const SYSTEM: Author = { id: 'system', name: 'system' };
const ID_BYTES = 16;

/**
 * Begins the session of this start and keeps it in the store, in one transaction. To be called once a start, before anything is
 * published or written.
 */
export async function openHistory(options: { readonly store: HistoryStore; readonly random: Random }): Promise<ConfigurationHistory> {
  const id = options.random.bytes(ID_BYTES).toString('hex');
  const sessions = await options.store.transaction(SYSTEM, async (transaction) => {
    const known = parseSessions(await transaction.getSetting(SESSIONS_SETTING));
    const begun = beginSession(known, id, await transaction.listGroups());
    await transaction.putSetting(SESSIONS_SETTING, encodeSessions(begun), { secret: false });
    return begun;
  });
  return { id, accepts: (groupId, revision, heldId) => isInSession(sessions, groupId, revision, heldId) };
}

/** The value of the setting with a session of nobody's that begins now: for a store that was set back to a copy. */
export function appendSession(
  value: Buffer | undefined,
  groups: readonly { readonly id: string; readonly revision: number }[],
  random: Random,
): Buffer {
  return encodeSessions(beginSession(parseSessions(value), random.bytes(ID_BYTES).toString('hex'), groups));
}
