import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
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

test('a keyring that a backup carries is taken where there is none, and beside another one only when that is asked for', async (t) => {
  const { folder } = await folderWithLog(t);
  const file = path.join(folder, 'backup.gz');
  assert.equal((await portcullis(['backup', '--data-dir', folder, '--to', file, '--with-keyring'])).status, 0);
  const fresh = path.join(folder, 'fresh');
  assert.equal((await portcullis(['restore', '--from', file, '--data-dir', fresh])).status, 0);
  const carried = readFileSync(path.join(folder, 'keyring.json'), 'utf8');
  assert.equal(readFileSync(path.join(fresh, 'keyring.json'), 'utf8'), carried);

  const { folder: other } = await folderWithLog(t);
  const otherKeyring = path.join(other, 'keyring.json');
  const before = readFileSync(otherKeyring, 'utf8');
  const refused = await portcullis(['restore', '--from', file, '--data-dir', other, '--replace']);
  assert.match(refused.errors, /lacks the key [0-9a-f]+, with which the backup /);
  const tried = await portcullis(['restore', '--from', file, '--data-dir', other, '--replace', '--with-keyring', '--dry-run']);
  assert.deepEqual([tried.status, tried.errors], [0, '']);
  assert.match(tried.output, /^Nothing was changed\. This would restore the backup of /);
  assert.equal(readFileSync(otherKeyring, 'utf8'), before);
  const restored = await portcullis(['restore', '--from', file, '--data-dir', other, '--replace', '--with-keyring']);
  assert.deepEqual([restored.status, restored.errors], [0, '']);
  const ids = JSON.parse(readFileSync(otherKeyring, 'utf8')).keys.map(({ id }: { id: string }) => id);
  const expected = [before, carried].map((keyring) => JSON.parse(keyring).keys[0].id);
  assert.deepEqual([ids, statSync(otherKeyring).mode & 0o777], [expected, 0o600]);
  assert.equal((await portcullis(['audit', 'verify', '--data-dir', other])).status, 0);
});

test('a keyring that a restore adds keys to stays the file behind its link, with its mode', async (t) => {
  const { folder } = await folderWithLog(t);
  const file = path.join(folder, 'backup.gz');
  assert.equal((await portcullis(['backup', '--data-dir', folder, '--to', file, '--with-keyring'])).status, 0);
  const { folder: other } = await folderWithLog(t);
  const [link, mounted] = [path.join(other, 'keyring.json'), path.join(folder, 'mounted.json')];
  renameSync(link, mounted);
  chmodSync(mounted, 0o640);
  symlinkSync(mounted, link);
  const restored = await portcullis(['restore', '--from', file, '--data-dir', other, '--replace', '--with-keyring']);
  assert.deepEqual([restored.status, restored.errors], [0, '']);
  assert.equal(lstatSync(link).isSymbolicLink(), true);
  assert.deepEqual([JSON.parse(readFileSync(mounted, 'utf8')).keys.length, statSync(mounted).mode & 0o777], [2, 0o640]);
});

test('a trial in a folder that is not there leaves none', async (t) => {
  const { folder } = await folderWithLog(t);
  const file = path.join(folder, 'backup.gz');
  assert.equal((await portcullis(['backup', '--data-dir', folder, '--to', file, '--with-keyring'])).status, 0);
  const tried = await portcullis(['restore', '--from', file, '--data-dir', path.join(folder, 'in', 'fresh'), '--dry-run']);
  assert.match(tried.output, /^Nothing was changed\. This would restore the backup of /, tried.errors);
  assert.equal(existsSync(path.join(folder, 'in')), false);
});

test('of a backup whose keyring is unusable nothing is left behind', async (t) => {
  const { folder } = await folderWithLog(t);
  const file = path.join(folder, 'backup.gz');
  assert.equal((await portcullis(['backup', '--data-dir', folder, '--to', file, '--with-keyring'])).status, 0);
  const text = gunzipSync(readFileSync(file)).toString();
  writeFileSync(file, gzipSync(text.replace(/"keyring":"(?:[^"\\]|\\.)*"/, '"keyring":"{}"')));
  const fresh = path.join(folder, 'fresh');
  const failed = await portcullis(['restore', '--from', file, '--data-dir', fresh]);
  assert.deepEqual([failed.status, failed.output], [1, '']);
  assert.match(failed.errors, /is not a keyring of Portcullis/);
  assert.deepEqual(
    readdirSync(fresh).filter((name) => /keyring|store/.test(name)),
    [],
  );
});

withPostgres('a verb on a database that holds no store says so, and makes none', async (t, url) => {
  const folder = await temporaryFolder(t);
  const schema = freshSchemaName();
  t.after(() => queryPostgres(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`));
  const verbs = [
    ['audit', 'verify'],
    ['backup', '--to', path.join(folder, 'backup.gz')],
    ['snapshot', 'key'],
    ['token', 'create'],
  ];
  for (const words of verbs) {
    const failed = await portcullis([...words, '--data-dir', folder, '--database-schema', schema], { DATABASE_URL: url });
    assert.deepEqual([failed.status, failed.output], [1, ''], words.join(' '));
    assert.match(failed.errors, /^There is no store in the schema "[a-z0-9_]+" of the PostgreSQL database /, words.join(' '));
  }
  assert.deepEqual(await queryPostgres(url, 'SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]), []);
  assert.deepEqual(readdirSync(folder), []);
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
