import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test-support/temporary-folder.ts';
import { StartError } from '../errors/index.ts';
import { systemRandom } from '../lib/random.ts';
import { openKeyring } from './keyring.ts';

test('opening a keyring that does not exist makes nothing until a key is asked for', async (context) => {
  const folder = await temporaryFolder(context);
  const keyring = await openKeyring({ file: path.join(folder, 'keyring.json'), random: systemRandom });
  assert.equal(keyring.first, undefined);
  assert.deepEqual(await readdir(folder), []);
});

test('a new keyring holds one key of 32 bytes, for the owner alone, and leaves no other file', async (context) => {
  const folder = await temporaryFolder(context);
  const file = path.join(folder, 'keyring.json');
  const keyring = await openKeyring({ file, random: systemRandom });
  await keyring.create();
  assert.deepEqual(await readdir(folder), ['keyring.json']);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal(keyring.first?.secret.symmetricKeySize, 32);
  const again = await openKeyring({ file, random: systemRandom });
  assert.equal(again.first?.id, keyring.first?.id);
});

test('creating over a keyring that another process made meanwhile takes that one', async (context) => {
  const folder = await temporaryFolder(context);
  const file = path.join(folder, 'keyring.json');
  const first = await openKeyring({ file, random: systemRandom });
  const second = await openKeyring({ file, random: systemRandom });
  await first.create();
  const text = await readFile(file, 'utf8');
  await second.create();
  assert.equal(second.first?.id, first.first?.id);
  assert.equal(await readFile(file, 'utf8'), text);
  assert.deepEqual(await readdir(folder), ['keyring.json']);
});

test('the first key of the file is known, and all are found', async (context) => {
  const file = path.join(await temporaryFolder(context), 'keyring.json');
  await writeFile(file, JSON.stringify({ version: 1, keys: [keyEntry('b', 2), keyEntry('a', 1)] }));
  const keyring = await openKeyring({ file, random: systemRandom });
  assert.equal(keyring.first?.id, 'b');
  assert.deepEqual(keyring.find('a')?.secret.export(), Buffer.alloc(32, 1));
  assert.equal(keyring.find('c'), undefined);
});

test('a file that is no keyring is refused without telling what is in it', async (context) => {
  const file = path.join(await temporaryFolder(context), 'keyring.json');
  const short = { id: 'a', key: Buffer.alloc(31).toString('base64') };
  const contents = [
    '',
    '{"version":1,"keys":[{"id":"a","key":"c2VjcmV0',
    '[]',
    'null',
    JSON.stringify({ version: 2, keys: [keyEntry('a', 1)] }),
    JSON.stringify({ version: 1, keys: [] }),
    JSON.stringify({ version: 1, keys: [short] }),
    JSON.stringify({ version: 1, keys: [null] }),
    JSON.stringify({ version: 1, keys: [keyEntry('a:b', 1)] }),
    JSON.stringify({ version: 1, keys: [keyEntry('a', 1), keyEntry('a', 2)] }),
  ];
  for (const content of contents) {
    await writeFile(file, content);
    await assert.rejects(openKeyring({ file, random: systemRandom }), (error) => {
      assert.ok(error instanceof StartError);
      assert.equal(error.message, `${file} is not a keyring of Portcullis: restore it from a backup.`);
      assert.equal(error.cause, undefined);
      return true;
    });
  }
});

test('a keyring that cannot be read or made is a sentence for a person', async (context) => {
  const folder = await temporaryFolder(context);
  await mkdir(path.join(folder, 'taken'));
  await assert.rejects(openKeyring({ file: path.join(folder, 'taken'), random: systemRandom }), {
    name: 'StartError',
    message: /cannot be read/,
  });
  const lost = await openKeyring({ file: path.join(folder, 'none', 'keyring.json'), random: systemRandom });
  await assert.rejects(lost.create(), { name: 'StartError', message: /cannot be written/ });
});

function keyEntry(id: string, fill: number): { readonly id: string; readonly key: string } {
  return { id, key: Buffer.alloc(32, fill).toString('base64') };
}
