import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import type { StoreHistory } from '../history.ts';
import { openKeyring } from '../keyring.ts';
import type { StoreKeys } from '../keys/index.ts';
import { openSqliteStore } from '../sqlite/sqlite-store.ts';
import type { RevisionHints, Store } from '../store.ts';
import type { StoreUsage } from '../usage.ts';

/** A folder for one test's database and keyring; the stores opened through it are closed before it is removed. */
export interface DatabaseFolder {
  readonly folder: string;
  readonly file: string;
  readonly keyringFile: string;
  readonly open: () => Promise<Store & StoreHistory & StoreUsage & StoreKeys & RevisionHints>;
}

export async function makeDatabaseFolder(test: TestContext, clock: Clock = new FakeClock()): Promise<DatabaseFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), 'portcullis-test-'));
  const file = path.join(folder, 'portcullis.db');
  const keyringFile = path.join(folder, 'keyring.json');
  const opened: Store[] = [];
  test.after(async () => {
    for (const store of opened) await store.close();
    await rm(folder, { recursive: true });
  });
  const open = async () => {
    const store = await openSqliteStore({ file, keyring: await openKeyring({ file: keyringFile, random: systemRandom }), clock });
    opened.push(store);
    return store;
  };
  return { folder, file, keyringFile, open };
}
