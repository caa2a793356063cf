import type { Random } from '../lib/random.ts';
import type { InstanceRegistry } from '../store/instance-registry.ts';
import type { Author, StoreTransaction } from '../store/store.ts';
import { beginSession, type ConfigurationHistory, encodeSessions, isInSession, parseSessions } from './history-sessions.ts';
import { CONTROL_PLANE_LEASE_MS } from './shared-instances.ts';

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
 * Begins the session of this start, or joins that of the control planes that live on the store, and keeps it in the store, in one transaction. To be called once a start, before anything is
 * published or written.
 */
export async function openHistory(options: {
  readonly store: HistoryStore;
  readonly random: Random;
  /** Where control planes that share the store tell of each other. */
  readonly registry?: Pick<InstanceRegistry, 'renew'> | undefined;
}): Promise<ConfigurationHistory> {
  const { registry } = options;
  const ownId = options.random.bytes(ID_BYTES).toString('hex');
  // Before the transaction: whoever starts next must see that this one lives.
  await registry?.renew(ownId, CONTROL_PLANE_LEASE_MS);
  const sessions = await options.store.transaction(SYSTEM, async (transaction) => {
    const known = parseSessions(await transaction.getSetting(SESSIONS_SETTING));
    const present = known.at(-1);
    const others = (await registry?.renew(ownId, CONTROL_PLANE_LEASE_MS))?.histories ?? [];
    // It goes on: its revisions are those of all who are in it.
    if (present !== undefined && others.includes(present.id)) return known;
    const begun = beginSession(known, ownId, await transaction.listGroups());
    await transaction.putSetting(SESSIONS_SETTING, encodeSessions(begun), { secret: false });
    return begun;
  });
  const id = sessions.at(-1)?.id ?? ownId;
  await registry?.renew(id, CONTROL_PLANE_LEASE_MS);
  return {
    id,
    accepts: (groupId, revision, heldId) => isInSession(sessions, groupId, revision, heldId),
    isPresent: () =>
      options.store.transaction(SYSTEM, async (transaction) => {
        return parseSessions(await transaction.getSetting(SESSIONS_SETTING)).at(-1)?.id === id;
      }),
  };
}

/** The value of the setting with a session of nobody's that begins now: for a store that was set back to a copy. */
export function appendSession(
  value: Buffer | undefined,
  groups: readonly { readonly id: string; readonly revision: number }[],
  random: Random,
): Buffer {
  return encodeSessions(beginSession(parseSessions(value), random.bytes(ID_BYTES).toString('hex'), groups));
}
