import path from 'node:path';
import type { TestContext } from 'node:test';
import { FakeClock } from '../../../../test-support/fake-clock.ts';
import { systemRandom } from '../../../lib/random.ts';
import { type Keyring, openKeyring } from '../../keyring.ts';
import { openSqliteStore } from '../../sqlite/sqlite-store.ts';
import type { Store } from '../../store.ts';
import { makeDatabaseFolder } from '../../testing/database-folder.ts';
import { backUpStore } from '../back-up-store.ts';
import type { BroughtBack } from '../brought-back.ts';
import { type RestoreRules, restoreStore } from '../restore-store.ts';
import type { StorePlace } from '../store-place.ts';
import { fillSampleStore } from './sample-store.ts';

/** The clock of backups and restores. */
export const clock = new FakeClock();
const rules: RestoreRules = {
  sessions: { name: 'history-sessions', append: (value) => Buffer.from(`${value?.toString() ?? ''}+`) },
  endedKinds: ['session'],
  describeRecord: ({ kind, id }, present, { hasFormerSecret }) =>
    present === undefined ? `${kind} ${id} gone` : `${kind} ${id}${hasFormerSecret ? ' secret' : ''}`,
};
/** Nothing was brought back. */
export const NOTHING: BroughtBack = { credentials: [], secrets: [], tokens: [], users: [], passwords: [], access: [], records: [] };

/** A store on SQLite with a backup, and what makes further backups and restores. `prepare` writes to it before the backup. */
export async function backedUp(t: TestContext, prepare: (store: Store) => Promise<unknown> = async () => undefined) {
  const source = await makeDatabaseFolder(t);
  const store = await source.open();
  await fillSampleStore(store, 'sample');
  await prepare(store);
  const keyring = await openKeyring({ file: source.keyringFile, random: systemRandom });
  const file = path.join(source.folder, 'backup.gz');
  const place: StorePlace = { kind: 'sqlite', file: source.file };
  const back = (changed: { withKeyring?: boolean; place?: StorePlace; file?: string; keyring?: Keyring } = {}) =>
    backUpStore({ place, file, keyring, withKeyring: false, software: 'test', clock, ...changed });
  await back();
  const restore = (
    to: string | StorePlace,
    changed: { replace?: boolean; isTrial?: boolean; file?: string; keyring?: typeof keyring } = {},
  ) =>
    restoreStore({
      place: typeof to === 'string' ? { kind: 'sqlite', file: to } : to,
      file,
      keyring,
      rules,
      author: { id: 'cli', name: 'command line' },
      replace: false,
      isTrial: false,
      clock,
      ...changed,
    });
  const open = async (opened: string): Promise<Awaited<ReturnType<typeof openSqliteStore>>> => {
    const restored = await openSqliteStore({ file: opened, keyring, clock });
    t.after(() => restored.close());
    return restored;
  };
  return { source, store, keyring, file, back, restore, open, other: path.join(source.folder, 'other.db') };
}
