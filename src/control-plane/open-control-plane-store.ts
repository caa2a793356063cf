import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import {
  openKeyring,
  openPostgresStore,
  openSqliteStore,
  type PostgresStoreOptions,
  type RevisionHints,
  type Store,
  type StoreHistory,
  type StoreKeys,
  type StoreUsage,
} from '../store/index.ts';

/**
 * Opens the store with its keyring, as the control plane and the command line both do; they may hold it open at the same time. With
 * `database` it is that PostgreSQL database, which other control planes may use too, else a file in the data folder. Where there is
 * no store yet, an empty one is made.
 *
 * @throws StartError when database, file or keyring is unusable
 */
export async function openControlPlaneStore(options: {
  readonly dataFolder: string;
  readonly keyringFile: string;
  readonly database?: PostgresStoreOptions | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** Is told what takes long. */
  readonly onProgress?: ((message: string) => void) | undefined;
}): Promise<Store & StoreHistory & StoreUsage & StoreKeys & RevisionHints> {
  const { database, clock, onProgress } = options;
  const keyring = await openKeyring({ file: options.keyringFile, random: options.random });
  if (database !== undefined) return openPostgresStore({ ...database, keyring, clock, onProgress });
  return openSqliteStore({ file: sqliteFileOf(options.dataFolder), keyring, clock, onProgress });
}

/** Whether a control plane has ever had its store in this folder. */
export function hasSqliteStore(dataFolder: string): boolean {
  return existsSync(sqliteFileOf(dataFolder));
}

/** The file in which a control plane has its store when it has no database. */
export function sqliteFileOf(dataFolder: string): string {
  return path.join(dataFolder, 'store.sqlite');
}
