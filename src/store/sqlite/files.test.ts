import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { AUTHOR, credentialWrite, keyOf, putAll, remove, serviceWrite } from '../contract/sample-writes.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { openConnections } from './open-connections.ts';

test('every file of the store is for its owner alone, also when it was not before', async (context) => {
  const { folder, file, open } = await makeDatabaseFolder(context);
  const modes = async () => {
    const names = await readdir(folder);
    return Promise.all(names.map(async (name) => `${name} ${((await stat(path.join(folder, name))).mode & 0o777).toString(8)}`));
  };
  const store = await open();
  const expected = ['keyring.json 600', 'portcullis.db 600', 'portcullis.db-shm 600', 'portcullis.db-wal 600'];
  assert.deepEqual((await modes()).sort(), expected);
  await store.close();
  await chmod(file, 0o644);
  await open();
  assert.deepEqual((await modes()).sort(), expected);
});

test('no secret lies in clear in any file of the store, nor does a deleted one', async (context) => {
  const { folder, keyringFile, open } = await makeDatabaseFolder(context);
  const store = await open();
  await store.transaction(AUTHOR, async (transaction) => {
    await transaction.putGroup({ id: 'default', name: 'default', description: '' });
    await transaction.putSetting('salt', Buffer.from('clear-setting'), { secret: true });
  });
  await putAll(store, credentialWrite('alice', 'c1', 'clear-key-one'), credentialWrite('alice', 'c2', 'clear-key-two'));
  await remove(store, keyOf('credential', 'c2', 'alice'));
  for (const name of await readdir(folder)) {
    const content = (await readFile(path.join(folder, name))).toString('latin1');
    assert.doesNotMatch(content, /clear-key|clear-setting/, name);
    assert.ok(path.join(folder, name) === keyringFile || !content.includes(await keyIn(keyringFile)), name);
  }
});

test('a commit is on the disk before it is acknowledged, and references hold', async (context) => {
  const { file } = await makeDatabaseFolder(context);
  const { writer, reader } = await openConnections({ file, clock: new FakeClock(), migrations: MIGRATIONS });
  const FULL = 2;
  const names = ['journal_mode', 'synchronous', 'fullfsync', 'foreign_keys', 'busy_timeout', 'secure_delete'];
  assert.deepEqual(
    names.map((name) => writer.pragma(name)),
    ['wal', FULL, 1, 1, 5000, 1],
  );
  assert.equal(reader.pragma('busy_timeout'), 5000);
  assert.throws(() => reader.execute('DELETE FROM settings'), { code: 'SQLITE_READONLY' });
  reader.close();
  writer.close();
});

test('a ciphertext that was moved to another resource does not open there', async (context) => {
  const { file, open } = await makeDatabaseFolder(context);
  const store = await open();
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  await putAll(store, credentialWrite('alice', 'c1', 'key-one'), credentialWrite('bob', 'c2', 'key-two'), serviceWrite('s'));
  const { writer, reader } = await openConnections({ file, clock: new FakeClock(), migrations: MIGRATIONS });
  writer.run("UPDATE resources SET secrets = (SELECT secrets FROM resources WHERE id = 'c1') WHERE id = 'c2'");
  reader.close();
  writer.close();
  await assert.rejects(store.getResource(keyOf('credential', 'c2', 'bob')), { reason: 'admin_internal', message: /"c2".*key-auth/ });
  const withoutSecrets = await store.getResource(keyOf('credential', 'c2', 'bob'), { secrets: 'omit' });
  assert.deepEqual(withoutSecrets?.document, { id: 'c2', plugins: { 'key-auth': {} } });
});

async function keyIn(keyringFile: string): Promise<string> {
  const keyring: { keys: { key: string }[] } = JSON.parse(await readFile(keyringFile, 'utf8'));
  return keyring.keys[0]?.key ?? '';
}
