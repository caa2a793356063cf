import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { AUTHOR, putAll, serviceWrite } from '../contract/sample-writes.ts';
import type { Store } from '../store.ts';
import { type DatabaseFolder, makeDatabaseFolder } from '../testing/database-folder.ts';
import { startChild } from './child-process.ts';

test('no acknowledged write is lost when the process is killed with SIGKILL', async (context) => {
  const folder = await preparedFolder(context);
  const child = startChild(context, 'insert-rows.child.ts', [folder.file, folder.keyringFile]);
  const acknowledged: string[] = [];
  for await (const line of child.lines) {
    acknowledged.push(line);
    if (acknowledged.length === 100) child.process.kill('SIGKILL');
  }
  assert.ok(acknowledged.length >= 100);
  await assertHolds(await folder.open(), acknowledged);
});

test('a disk without room refuses writes, loses none it acknowledged, and the next start goes on', async (context) => {
  const folder = await preparedFolder(context);
  const child = startChild(context, 'insert-rows.child.ts', [folder.file, folder.keyringFile], { fileSizeBlocks: 2000 });
  const acknowledged: string[] = [];
  for await (const line of child.lines) acknowledged.push(line);
  assert.equal(acknowledged.pop(), 'store_unavailable');
  assert.ok(acknowledged.length > 0);
  const store = await folder.open();
  await assertHolds(store, acknowledged);
  assert.equal((await store.getGroup('default'))?.revision, acknowledged.length);
  await putAll(store, serviceWrite('after'));
});

test('of two processes that take the same keys at once each key goes to exactly one, and both know to which', async (context) => {
  const folder = await preparedFolder(context);
  const rounds = 40;
  const children = ['alice', 'bob'].map((username) =>
    startChild(context, 'contend.child.ts', [folder.file, folder.keyringFile, username, String(rounds)]),
  );
  const results = children.map(async ({ lines }) => {
    const seen: string[] = [];
    for await (const line of lines) seen.push(line);
    return seen.slice(1);
  });
  await Promise.all(children.map(({ lines }) => once(lines, 'line')));
  for (const { process } of children) process.stdin.write('go\n');
  const [first, second] = await Promise.all(results);
  assert.equal(first?.length, rounds);
  assert.deepEqual(first, second);
  assert.equal((await (await folder.open()).getGroup('default'))?.revision, rounds);
});

async function preparedFolder(context: TestContext): Promise<DatabaseFolder> {
  const folder = await makeDatabaseFolder(context);
  const store = await folder.open();
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  await store.close();
  return folder;
}

async function assertHolds(store: Store, numbers: readonly string[]): Promise<void> {
  for (const number of numbers) {
    const found = await store.getResource({ groupId: 'default', kind: 'credential', parentId: 'alice', id: `c${number}` });
    assert.deepEqual(found?.document, { id: `c${number}`, plugins: { 'key-auth': { key: `key-${number}` } } });
  }
}
