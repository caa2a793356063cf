import { PortcullisError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Author, StoreTransaction } from '../store.ts';
import type { KeyWriter, StoreKeys } from './key-store.ts';
import { encodeKeyringState, KEYRING_STATE_SETTING, type KeyringState, parseKeyringState } from './keyring-state.ts';

/** Who changes the keys of a store, and how it waits. */
export interface ChangeKeysOptions {
  readonly store: StoreKeys & { getSetting(name: string): Promise<Buffer | undefined> };
  readonly author: Author;
  readonly clock: Clock;
  /** Resolves after a time, during which the process goes on living. */
  readonly pause: (durationMs: number) => Promise<void>;
}

/** What a step of a change sees and does; `state` is read with the write lock held. */
export interface KeyChange {
  readonly state: KeyringState;
  readonly keys: KeyWriter;
  /** Puts another state in its place, with an entry in the audit log. */
  become(state: KeyringState, entry: { readonly action: string; readonly keyId: string; readonly detail?: JsonObject }): Promise<void>;
}

/** Runs one step of a change in one transaction: all of it or nothing. */
export function changeKeys<Result>(
  { store, author, clock }: ChangeKeysOptions,
  step: (change: KeyChange) => Promise<Result>,
): Promise<Result> {
  return store.keys.transaction(author, async (transaction, keys) => {
    const state = await readState(transaction);
    return step({
      state,
      keys,
      become: async (next, { action, keyId, detail = {} }) => {
        await transaction.putSetting(KEYRING_STATE_SETTING, encodeKeyringState(next), { secret: false });
        await transaction.appendAudit({
          ...{ at: Math.floor(clock.nowMs() / 1000), author, action, groupId: undefined, resource: keyId, address: undefined, detail },
        });
      },
    });
  });
}

/** The state of a store's keys. Every store that was opened has one. */
export async function readState(store: Pick<StoreTransaction, 'getSetting'>): Promise<KeyringState> {
  const state = parseKeyringState((await store.getSetting(KEYRING_STATE_SETTING))?.toString());
  if (state === undefined) throw new PortcullisError('admin_internal', { detail: `the setting ${KEYRING_STATE_SETTING} was removed` });
  return state;
}
