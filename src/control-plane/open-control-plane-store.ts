import path from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { openKeyring, openSqliteStore, type Store, type StoreHistory } from '../store/index.ts';

/**
 * Opens the store of a data folder with its keyring, as the control plane and the command line both do; they may hold it open at the
 * same time. A folder without a store gets an empty one.
 *
 * @throws StartError when the file or the keyring is unusable
 */
export async function openControlPlaneStore(options: {
  readonly dataFolder: string;
  readonly keyringFile: string;
  readonly clock: Clock;
  readonly random: Random;
}): Promise<Store & StoreHistory> {
  const keyring = await openKeyring({ file: options.keyringFile, random: options.random });
  return openSqliteStore({ file: path.join(options.dataFolder, 'store.sqlite'), keyring, clock: options.clock });
}
