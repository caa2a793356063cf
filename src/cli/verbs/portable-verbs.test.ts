import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import BetterSqlite3 from 'better-sqlite3';
import { cleanEnvironment } from '../../../test-support/clean-environment.ts';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { freshSchemaName, queryPostgres } from '../../../test-support/postgres-server.ts';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { openControlPlaneStore } from '../../control-plane/index.ts';
import { systemRandom } from '../../lib/random.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

async function portcullis(words: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...environment },
  });
  const [output, errors, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { output, errors, status };
}

/** A data folder whose audit log has two entries, of which `changeEntry` changes the second. */
async function folderWithLog(t: TestContext) {
  const folder = await temporaryFolder(t);
  const options = { dataFolder: folder, keyringFile: `${folder}/keyring.json`, clock: new FakeClock(), random: systemRandom };
  const store = await openControlPlaneStore(options);
  const author = { id: 'cli', name: 'cli' };
  for (const action of ['installation.create', 'a']) {
    const entry = { at: 1, author, action, groupId: undefined, resource: 'r', address: undefined, detail: {} };
    await store.transaction(author, (transaction) => transaction.appendAudit(entry));
  }
  await store.close();
  const inFile = <Result>(work: (file: BetterSqlite3.Database) => Result): Result => {
    const file = new BetterSqlite3(path.join(folder, 'store.sqlite'));
    try {
      return work(file);
    } finally {
      file.close();
    }
  };
  return {
    folder,
    actions: () => inFile((file) => file.prepare('SELECT action FROM audit_entries ORDER BY number').pluck().all()),
    changeEntry: () => inFile((file) => file.exec(`UPDATE audit_entries SET author_id = 'somebody' WHERE number = 2`)),
  };
}

test('only a backup that was written is in the audit log', async (t) => {
  const { folder, actions } = await folderWithLog(t);
  const file = path.join(folder, 'backup.gz');
  writeFileSync(file, 'another backup');
  const failed = await portcullis(['backup', '--data-dir', folder, '--to', file]);
  assert.deepEqual([failed.status, failed.output], [1, '']);
  assert.deepEqual(actions(), ['installation.create', 'a']);
  const written = await portcullis(['backup', '--data-dir', folder, '--to', `${file}.2`]);
  assert.deepEqual([written.status, written.errors, existsSync(`${file}.2`)], [0, '', true]);
  assert.deepEqual(actions(), ['installation.create', 'a', 'store.backup']);
});

test('a backup that cannot come into the audit log does not stay', async (t) => {
  const { folder } = await folderWithLog(t);
  const store = new BetterSqlite3(path.join(folder, 'store.sqlite'));
  store.exec(`CREATE TRIGGER refuse BEFORE INSERT ON audit_entries BEGIN SELECT raise(ABORT, 'refused'); END`);
  store.close();
  const file = path.join(folder, 'backup.gz');
  const failed = await portcullis(['backup', '--data-dir', folder, '--to', file]);
  assert.deepEqual([failed.status, failed.output, existsSync(file)], [1, '', false]);
});

test('a restore whose audit log is not whole ends with 1 and says so', async (t) => {
  const { folder, changeEntry } = await folderWithLog(t);
  changeEntry();
  const file = path.join(folder, 'backup.gz');
  assert.equal((await portcullis(['backup', '--data-dir', folder, '--to', file])).status, 0);
  const words = ['--data-dir', path.join(folder, 'other'), '--keyring-file', path.join(folder, 'keyring.json')];
  const restored = await portcullis(['restore', '--from', file, ...words]);
  assert.equal(restored.status, 1);
  assert.match(restored.output, /^Restored the backup(.|\n)*NOT whole(.|\n)*- entry 2 was changed\./);
  assert.match(restored.errors, /its audit log is not whole/);
});

withPostgres('a migration whose audit log is not whole ends with 1 and says so, also when it was done before', async (t, url) => {
  const { folder, changeEntry } = await folderWithLog(t);
  changeEntry();
  const schema = freshSchemaName();
  t.after(() => queryPostgres(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  for (const done of [/^Copied and compared/, /^An earlier run/]) {
    const migrated = await portcullis(['migrate', '--data-dir', folder, '--database-schema', schema], { DATABASE_URL: url });
    assert.equal(migrated.status, 1);
    assert.match(migrated.output, done, migrated.errors);
    assert.match(migrated.output, /NOT whole(.|\n)*- entry 2 was changed\./);
    assert.match(migrated.errors, /its audit log is not whole/);
  }
});
