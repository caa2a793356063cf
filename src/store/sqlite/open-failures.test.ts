import assert from 'node:assert/strict';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { makeSmallDisk } from '../../../test-support/small-disk.ts';
import { StartError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { AUTHOR, putAll, serviceWrite } from '../contract/sample-writes.ts';
import { openKeyring } from '../keyring.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { runFailure, startFailure } from './failures.ts';
import { SqliteDatabase, SqliteFailure } from './sqlite-database.ts';
import { openSqliteStore } from './sqlite-store.ts';

test('a file that is no database is refused in one sentence and left as it was', async (context) => {
  const { file, open } = await makeDatabaseFolder(context);
  for (const content of ['short', 'long '.repeat(5000)]) {
    await writeFile(file, content);
    await assert.rejects(open(), startError(/is not a database/));
    assert.equal(await readFile(file, 'utf8'), content);
  }
});

test('a database of another program is refused and left as it was', async (context) => {
  const { file, open } = await makeDatabaseFolder(context);
  await writeFile(file, '');
  const foreign = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 0 });
  foreign.execute('CREATE TABLE resources (id TEXT)');
  foreign.close();
  const before = await readFile(file);
  await assert.rejects(open(), startError(/another program/));
  assert.deepEqual(await readFile(file), before);
});

test('a damaged database is refused in one sentence', async (context) => {
  const { file, open } = await makeDatabaseFolder(context);
  const store = await open();
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  await putAll(store, serviceWrite('s', { text: 'x'.repeat(100_000) }));
  await store.close();
  await truncate(file, 20_000);
  await assert.rejects(open(), startError(/is damaged: restore it/));
});

test('a path where no database can be is refused in one sentence', async (context) => {
  const { folder, file } = await makeDatabaseFolder(context);
  const keyring = await openKeyring({ file: path.join(folder, 'keyring.json'), random: systemRandom });
  const open = (at: string) => openSqliteStore({ file: at, keyring, clock: new FakeClock() });
  await assert.rejects(open(path.join(folder, 'none', 'p.db')), startError(/folder of the database .* does not exist/));
  await writeFile(path.join(folder, 'plain'), '');
  await assert.rejects(open(path.join(folder, 'plain', 'p.db')), startError(/folder of the database .* does not exist/));
  await mkdir(file);
  await assert.rejects(open(file), startError(/is not a file/));
});

test('each kind of failure at the start has its sentence, and none at run time blames the client', () => {
  const codes = ['SQLITE_FULL', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_READONLY_DIRECTORY', 'SQLITE_IOERR_WRITE', 'SQLITE_CORRUPT_INDEX'];
  const words = [/full/, /locked/, /cannot be written/, /reports errors/, /damaged/];
  for (const [index, code] of codes.entries()) {
    const failure = new SqliteFailure(code, new Error('native'));
    const atStart = startFailure(failure, '/data/p.db');
    assert.ok(atStart instanceof StartError);
    assert.match(atStart.message, words[index] ?? /never/);
    const atRun = runFailure(failure);
    assert.ok(atRun instanceof Error && 'reason' in atRun);
    assert.equal(atRun.reason, 'store_unavailable');
  }
  const other = new TypeError('a mistake of the program');
  assert.equal(startFailure(other, '/data/p.db'), other);
  assert.equal(runFailure(other), other);
});

test('what SQLite calls an error of the disk sends nobody to a backup where the disk is full', async (context) => {
  const folder = await makeSmallDisk(context, 64 * 1024);
  if (folder === undefined) return;
  const failure = new SqliteFailure('SQLITE_IOERR_SHMSIZE', new Error('native'));
  const explained = startFailure(failure, path.join(folder, 'p.db'));
  assert.ok(explained instanceof StartError);
  assert.match(explained.message, /is full: free some space/);
});

function startError(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StartError, String(error));
    assert.match(error.message, message);
    assert.match(error.message, /^[^\n]+\.$/);
    return true;
  };
}
