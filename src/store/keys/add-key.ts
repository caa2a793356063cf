import { StartError } from '../../errors/index.ts';
import type { Keyring, KeyringKey } from '../keyring.ts';
import { changeKeyringFile, fingerprintOf, newKeyEntry } from '../keyring-file.ts';
import { type ChangeKeysOptions, changeKeys } from './change-keys.ts';
import type { KeyringState } from './keyring-state.ts';

/** A key that is to encrypt next. */
export interface AddedKey {
  readonly id: string;
  readonly fingerprint: string;
  /** It was not there before this call. */
  readonly isNew: boolean;
}

/**
 * Puts a new key behind the others in the keyring file and notes in the store that it is to encrypt next; nothing is encrypted with it yet. A key of
 * the file that was never used is taken instead of a new one: an operator has put it there, or a run that was cut off. Audited.
 *
 * @param options.replace gives up a key that was added before and is not in the file
 * @throws StartError when the file cannot be written, or lacks the key that was added before
 */
export function addKey(options: ChangeKeysOptions & { readonly replace: boolean }): Promise<AddedKey> {
  const { keyring } = options.store.keys;
  // With the write lock of the store held, nobody else changes its keyring file.
  return changeKeys(options, async ({ state, keys, become }) => {
    keyring.reload();
    const unused = unusedKey(keyring, state, await keys.listRequired());
    if (state.coming !== undefined && unused?.id !== state.coming.id && !options.replace) {
      throw new StartError(
        `The key ${state.coming.id} was added already, and the keyring ${keyring.file} lacks it: bring it the keyring of the machine on which it was added, or run portcullis keyring add --replace for another one.`,
      );
    }
    const key = unused ?? (await addToFile(keyring));
    const coming = { id: key.id, fingerprint: fingerprintOf(key) };
    const isKnown = state.coming?.id === coming.id && state.coming.fingerprint === coming.fingerprint;
    if (!isKnown) await become({ ...state, coming }, { action: 'keyring.add', keyId: key.id, detail: { fingerprint: coming.fingerprint } });
    return { ...coming, isNew: !isKnown };
  });
}

/** The key that was added before, else the first of the file that nothing was ever encrypted with. */
function unusedKey(keyring: Keyring, state: KeyringState, required: readonly string[]): KeyringKey | undefined {
  const isUsed = ({ id }: KeyringKey): boolean => id === state.current || required.includes(id) || state.retired.includes(id);
  const unused = keyring.keys.filter((key) => !isUsed(key));
  return unused.find(({ id }) => id === state.coming?.id) ?? unused[0];
}

async function addToFile(keyring: Keyring): Promise<KeyringKey> {
  const entry = newKeyEntry(keyring.random);
  await changeKeyringFile(keyring.file, (entries) => [...entries, entry]);
  keyring.reload();
  const key = keyring.find(entry.id);
  if (key === undefined) throw new StartError(`The keyring ${keyring.file} was changed by somebody else just now: start again.`);
  return key;
}
