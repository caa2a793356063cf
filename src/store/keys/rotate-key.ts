import { changeKeyringFile } from '../keyring-file.ts';
import { addKey } from './add-key.ts';
import { type ChangeKeysOptions, changeKeys, readState } from './change-keys.ts';
import { type ReEncrypted, type ReEncryptionListener, reEncrypt } from './re-encrypt.ts';
import { takeIntoUse } from './take-into-use.ts';

/** What a rotation did. */
export interface Rotation extends ReEncrypted {
  /** An earlier run had taken the key into use and was cut off; this one has done what was left. */
  readonly isResumed: boolean;
}

/**
 * Adds a key where none was added yet, takes it into use and encrypts everything anew with it; the key before it stays in the keyring. A run that was cut
 * off is finished by the next one, with the same key.
 *
 * @throws StartError as `addKey` and `takeIntoUse`
 */
export async function rotateKey(
  options: ChangeKeysOptions & {
    readonly waitMs: number;
    readonly onProgress?: ReEncryptionListener | undefined;
    /** Is told when the key could not be put first in the file, on which nothing here depends. */
    readonly onOrderFailure?: ((error: unknown) => void) | undefined;
  },
): Promise<Rotation> {
  const { isUnfinished: isResumed } = await readState(options.store);
  if (!isResumed) {
    await addKey({ ...options, replace: false });
    await takeIntoUse(options);
  }
  // Before everything is done, so that a repetition comes here again.
  await putFirstInFile(options).catch((error: unknown) => options.onOrderFailure?.(error));
  return { ...(await reEncrypt(options)), isResumed };
}

/** Puts the key that encrypts first in the keyring file: a new store, and a version that goes by the file, begin with that one. */
async function putFirstInFile(options: ChangeKeysOptions): Promise<void> {
  const { file } = options.store.keys.keyring;
  // With the write lock held nobody else changes the file.
  await changeKeys(options, ({ state: { current } }) =>
    changeKeyringFile(file, (entries) => [...entries.filter(({ id }) => id === current), ...entries.filter(({ id }) => id !== current)]),
  );
}
