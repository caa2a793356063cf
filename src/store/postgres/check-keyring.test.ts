import assert from 'node:assert/strict';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '../../../test-support/temporary-folder.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { StartError } from '../../errors/index.ts';
import { systemRandom } from '../../lib/random.ts';
import { AUTHOR, credentialWrite, putAll } from '../contract/sample-writes.ts';
import { openKeyring } from '../keyring.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';

withPostgres(
  'a control plane without the keyring of the others is refused by the name of the key, and makes none of its own',
  async (context, url) => {
    const { open, keyringFile } = await makeDatabaseSchema(context, url);
    const first = await open();
    await first.transaction(AUTHOR, (transaction) => transaction.putSetting('salt', Buffer.from('secret'), { secret: true }));
    const folder = await temporaryFolder(context);
    const own = path.join(folder, 'own.json');
    const [key] = JSON.parse(await readFile(keyringFile, 'utf8')).keys;
    const refusal = startError(`lacks the key ${key.id}, with which the PostgreSQL database .* give it with --keyring-file the keyring`);
    await assert.rejects(open({ keyringFile: own }), refusal);
    assert.deepEqual(await readdir(folder), []);
    await (await openKeyring({ file: own, random: systemRandom })).create();
    await assert.rejects(open({ keyringFile: own }), refusal);
    await writeFile(own, JSON.stringify({ version: 1, keys: [{ id: key.id, key: Buffer.alloc(32).toString('base64') }] }));
    await assert.rejects(open({ keyringFile: own }), startError(`The key ${key.id} in .* is not the one with which`));
    await rename(keyringFile, own);
    assert.equal((await (await open({ keyringFile: own })).getSetting('salt'))?.toString(), 'secret');
  },
);

withPostgres('no secret lies in clear in the database, nor does the keyring', async (context, url) => {
  const { open, query, schema, keyringFile } = await makeDatabaseSchema(context, url);
  const store = await open();
  await store.transaction(AUTHOR, async (transaction) => {
    await transaction.putGroup({ id: 'default', name: 'default', description: '' });
    await transaction.putSetting('salt', Buffer.from('clear-setting'), { secret: true });
  });
  await putAll(store, credentialWrite('alice', 'c1', 'clear-key'));
  const [key] = JSON.parse(await readFile(keyringFile, 'utf8')).keys;
  const tables = await query('SELECT table_name FROM information_schema.tables WHERE table_schema = $1', [schema]);
  let rows = 0;
  for (const { table_name: table } of tables) {
    for (const row of await query(`SELECT * FROM ${table}`)) {
      rows += 1;
      const text = Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)));
      assert.doesNotMatch(text.join('\n'), /clear-key|clear-setting/, String(table));
      assert.equal(text.join('\n').includes(key.key), false);
    }
  }
  assert.ok(rows > 5);
});

function startError(pattern: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StartError, String(error));
    assert.match(error.message, new RegExp(pattern));
    return true;
  };
}
