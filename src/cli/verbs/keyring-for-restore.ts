import { readFile, rm } from 'node:fs/promises';
import { StartError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import type { Keyring } from '../../store/index.ts';

/** A keyring that opens a backup, as far as anybody has one. */
export interface KeyringForRestore {
  readonly keyring: Keyring;
  /** Keys of the backup were put into the file. */
  readonly hasTaken: boolean;
  /** Leaves the file as it was found. */
  giveBack(): Promise<void>;
}

/**
 * The keyring at `file`; where there is none, the one that the backup carries, which is put there. Where there is one already, keys from the backup
 * are added to it only when asked for with `takesCarried`: whoever can exchange a backup could otherwise have his own taken for ours.
 *
 * @throws StartError when it is unusable; the file is as it was then
 */
export async function keyringForRestore(options: {
  readonly file: string;
  readonly backup: string;
  readonly takesCarried: boolean;
}): Promise<KeyringForRestore> {
  const { file, backup, takesCarried } = options;
  const { createDurably, joinKeyrings, keyringOfBackup, openKeyring, replaceKeyringFile } = await import('../../store/index.ts');
  const before = await readIfPresent(file);
  const carried = before === undefined || takesCarried ? await keyringOfBackup(backup) : undefined;
  if (takesCarried && carried === undefined) throw new StartError(`The backup ${backup} holds no keyring: leave out --with-keyring.`);
  const wanted = carried === undefined || before === undefined ? carried : joinKeyrings({ text: before, file }, carried);
  const hasTaken = wanted !== undefined && wanted !== before;
  const giveBack = async (): Promise<void> => {
    if (!hasTaken) return;
    if (before === undefined) await rm(file, { force: true });
    else await replaceKeyringFile(file, before);
  };
  try {
    if (hasTaken && before === undefined) await createDurably(file, wanted);
    else if (hasTaken) await replaceKeyringFile(file, wanted);
    return { keyring: await openKeyring({ file, random: systemRandom }), hasTaken, giveBack };
  } catch (error) {
    await giveBack();
    throw error;
  }
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StartError(`The keyring ${file} cannot be read: check the path and its permissions.`, { cause: error });
  }
}
