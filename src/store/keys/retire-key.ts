import { StartError } from '../../errors/index.ts';
import { changeKeyringFile } from '../keyring-file.ts';
import { type ChangeKeysOptions, changeKeys, readState } from './change-keys.ts';
import { countUses, type KeyUse, valuesOfUse } from './survey-keys.ts';
import { assertAllFollow } from './take-into-use.ts';

/**
 * Ends a key with which nothing is encrypted any more: no keyring need have it, it never encrypts again, and it goes from this keyring file. A
 * key that was added and never used goes likewise. A repetition finishes what was cut off. Audited.
 *
 * @throws StartError while it encrypts, or something is encrypted with it, which is counted; nothing has changed then
 */
export async function retireKey(options: ChangeKeysOptions & { readonly keyId: string }): Promise<void> {
  const { store, keyId } = options;
  const { keyring } = store.keys;
  const before = await readState(store);
  refuseCurrent(before.current, keyId);
  assertAllFollow(await store.keys.listPlanes());
  // Before the transaction, which would keep writers waiting: nobody encrypts with the key meanwhile, since another one does.
  refuseUsed(keyId, (await countUses(options)).get(keyId));
  await changeKeys(options, async ({ state, keys, become }) => {
    if (state.current !== before.current || state.coming?.id !== before.coming?.id) {
      throw new StartError('The keys were changed by somebody else just now: start again.');
    }
    const isKnown = state.coming?.id === keyId || (await keys.listRequired()).includes(keyId) || keyring.find(keyId) !== undefined;
    if (!isKnown && !state.retired.includes(keyId)) {
      throw new StartError(`There is no key ${keyId}: portcullis keyring list shows those that there are.`);
    }
    if (state.retired.includes(keyId)) return;
    await keys.release(keyId);
    const coming = state.coming?.id === keyId ? undefined : state.coming;
    await become({ ...state, coming, retired: [...state.retired, keyId] }, { action: 'keyring.retire', keyId });
  });
  // Last: as long as the store could need the key, the file has it. With the write lock held nobody else changes the file.
  await changeKeys(options, () => changeKeyringFile(keyring.file, (entries) => entries.filter(({ id }) => id !== keyId)));
}

function refuseCurrent(current: string, keyId: string): void {
  if (current === keyId) throw new StartError(`The key ${keyId} is the one that encrypts: run portcullis keyring rotate first.`);
}

function refuseUsed(keyId: string, use: KeyUse | undefined): void {
  const values = valuesOfUse(use);
  if (use === undefined || values === 0) return;
  const places = [...use.values].map(([table, count]) => `${count} in ${table}`).join(', ');
  throw new StartError(
    `${values} values are still encrypted with the key ${keyId} (${places}; one is ${use.example}): run portcullis keyring re-encrypt, which names those that cannot be opened.`,
  );
}
