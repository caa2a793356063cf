import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { StartError } from '../../errors/index.ts';
import { AUTHOR } from '../contract/sample-writes.ts';
import type { Store } from '../store.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';

test('a lost keyring is missed by the name of its key, and no new one is made in its place', async (context) => {
  const { keyringFile, folder, open } = await makeDatabaseFolder(context);
  await putSecret(await open());
  const [key] = await keysIn(keyringFile);
  await rename(keyringFile, `${keyringFile}.away`);
  await assert.rejects(open(), startError(`lacks the key ${key?.id}`));
  assert.equal((await readdir(folder)).includes('keyring.json'), false);
  await rename(`${keyringFile}.away`, keyringFile);
  assert.equal(await readSecret(await open()), 'secret');
});

test('a keyring with other bytes under the same id is refused', async (context) => {
  const { keyringFile, open } = await makeDatabaseFolder(context);
  await putSecret(await open());
  const [key] = await keysIn(keyringFile);
  await writeFile(keyringFile, keyringText([{ id: key?.id ?? '', key: Buffer.alloc(32).toString('base64') }]));
  await assert.rejects(open(), startError(`The key ${key?.id} in .* is not the one`));
});

test('a key that somebody put in front encrypts nothing, so that a process without it goes on, and the old one must stay', async (context) => {
  const { keyringFile, open } = await makeDatabaseFolder(context);
  const running = await open();
  await putSecret(running);
  const [old] = await keysIn(keyringFile);
  assert.ok(old);
  const added = { id: 'added-by-hand', key: Buffer.alloc(32, 1).toString('base64') };
  await writeFile(keyringFile, keyringText([added, old]));
  await putSecret(await open(), 'other');
  await writeFile(keyringFile, keyringText([old]));
  assert.equal(await readSecret(await open()), 'other');
  await writeFile(keyringFile, keyringText([added]));
  await assert.rejects(open(), startError(`lacks the key ${old.id}`));
  assert.equal(await readSecret(running), 'other', 'what a process knows it does not forget');
});

test('stores that are opened for the first time at once agree on one keyring', async (context) => {
  const { keyringFile, file, open } = await makeDatabaseFolder(context);
  const stores = await Promise.all([open(), open(), open()]);
  for (const [index, store] of stores.entries()) await putSecret(store, `secret-${index}`);
  for (const store of stores) assert.equal(await readSecret(store), 'secret-2');
  assert.equal((await keysIn(keyringFile)).length, 1);
  await Promise.all(stores.map((store) => store.close()));
  await rm(file);
  assert.equal(await (await open()).getSetting('salt'), undefined, 'a new database takes the keyring that is there');
});

async function putSecret(store: Store, text = 'secret'): Promise<void> {
  await store.transaction(AUTHOR, (transaction) => transaction.putSetting('salt', Buffer.from(text), { secret: true }));
}

async function readSecret(store: Store): Promise<string | undefined> {
  return (await store.getSetting('salt'))?.toString();
}

interface Key {
  readonly id: string;
  readonly key: string;
}

async function keysIn(keyringFile: string): Promise<readonly Key[]> {
  const keyring: { keys: readonly Key[] } = JSON.parse(await readFile(keyringFile, 'utf8'));
  return keyring.keys;
}

function keyringText(keys: readonly Key[]): string {
  return JSON.stringify({ version: 1, keys });
}

function startError(pattern: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StartError, String(error));
    assert.match(error.message, new RegExp(pattern));
    return true;
  };
}
