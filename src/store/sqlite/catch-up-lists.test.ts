import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { firstSchema } from '../migrations/0001-first-schema.ts';
import type { StoreReader } from '../store.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { openConnections } from './open-connections.ts';
import { SqliteDatabase } from './sqlite-database.ts';

const AUTHOR = { id: 'system', name: 'system' };
const LIST = { groupId: 'default', kind: 'consumer' };

test('a database from before lists has them when it was opened, the longest with blocks', async (context) => {
  const { file, open } = await makeDatabaseFolder(context);
  const older = await openConnections({ file, clock: new FakeClock(), migrations: [firstSchema] });
  older.writer.run("INSERT INTO gateway_groups VALUES ('default', '', '', 0, 0, 0, 0)");
  older.writer.execute('BEGIN');
  for (let number = 0; number < 1_300; number += 1) putAsBefore(older.writer, `c${number}`, number % 2 === 0 ? 'x' : 'y');
  older.writer.execute('COMMIT');
  older.reader.close();
  older.writer.close();
  const store = await open();
  const all = await namesOf(store);
  assert.deepEqual([all.length, all[0], all.at(-1)], [1_300, 'c1299', 'c0']);
  assert.deepEqual(await namesOf(store, { part: { kind: 'page', offset: 1_200, limit: 2 } }), ['c99', 'c98']);
  const labels = new Map([['team', 'x']]);
  assert.deepEqual(await namesOf(store, { labels, part: { kind: 'page', offset: 648, limit: 9 } }), ['c2', 'c0']);
  assert.deepEqual(await namesOf(store, { search: 'C129', order: 'name', direction: 'ascending' }), [
    ...['c129', 'c1290', 'c1291', 'c1292', 'c1293', 'c1294', 'c1295', 'c1296', 'c1297', 'c1298', 'c1299'],
  ]);
});

test('what software from before lists writes, deletes and recreates meanwhile is in the next list, also within a transaction', async (context) => {
  const { file, open } = await makeDatabaseFolder(context);
  const store = await open();
  await store.transaction(AUTHOR, async (transaction) => {
    await transaction.putGroup({ id: 'default', name: '', description: '' });
    for (const id of ['a', 'b', 'c', 'd']) await transaction.putResource(consumerOf(id));
  });
  const older = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 5_000 });
  context.after(() => older.close());
  removeAsBefore(older, 'd');
  // The number of the deleted row goes to this one.
  putAsBefore(older, 'e', 'x');
  putAsBefore(older, 'd', 'y');
  putAsBefore(older, 'a', 'x');
  removeAsBefore(older, 'b');
  assert.deepEqual(await namesOf(store), ['a', 'd', 'e', 'c']);
  assert.deepEqual(await namesOf(store, { labels: new Map([['team', 'x']]) }), ['a', 'e']);
  assert.deepEqual(await namesOf(store, { order: 'created' }), ['d', 'e', 'c', 'a']);
  removeAsBefore(older, 'a');
  await store.transaction(AUTHOR, async (transaction) => {
    assert.deepEqual(await namesOf(transaction), ['d', 'e', 'c']);
    await transaction.putResource(consumerOf('f'));
    assert.deepEqual(await namesOf(transaction), ['f', 'd', 'e', 'c']);
  });
  removeAsBefore(older, 'f');
  await store.transaction(AUTHOR, async (transaction) => void (await transaction.putResource(consumerOf('g'))));
  assert.deepEqual(await namesOf(store), ['g', 'd', 'e', 'c']);
});

test('lists are made anew when what was removed since is no longer remembered', async (context) => {
  const { file, open } = await makeDatabaseFolder(context);
  const store = await open();
  await store.transaction(AUTHOR, async (transaction) => {
    await transaction.putGroup({ id: 'default', name: '', description: '' });
    for (const id of ['a', 'b']) await transaction.putResource(consumerOf(id));
  });
  const older = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 5_000 });
  context.after(() => older.close());
  removeAsBefore(older, 'a');
  putAsBefore(older, 'c', 'x');
  older.run('DELETE FROM resource_removals');
  older.run('UPDATE gateway_groups SET removals_kept_after = 2');
  assert.deepEqual(await namesOf(store), ['c', 'b']);
});

function consumerOf(id: string) {
  return { key: { ...LIST, parentId: '', id }, document: { username: id }, secretPointers: [], unique: [], owner: undefined };
}

async function namesOf(store: StoreReader, selection: Partial<Parameters<StoreReader['selectResources']>[0]> = {}): Promise<string[]> {
  const selected = await store.selectResources({ ...LIST, order: 'updated', direction: 'descending', ...selection });
  return (await store.resourcesAt(LIST, selected.rows)).map(({ key }) => key.id);
}

/** Writes as the software before lists did. */
function putAsBefore(database: SqliteDatabase, id: string, team: string): void {
  database.run("UPDATE gateway_groups SET revision = revision + 1 WHERE id = 'default'");
  const labels = { team };
  database.run(
    `INSERT INTO resources (group_id, kind, parent_id, id, revision, position, created_at, updated_at, document, labels)
     SELECT 'default', 'consumer', '', ?, revision, 0, 0, 0, ?, ? FROM gateway_groups WHERE id = 'default'
     ON CONFLICT (group_id, kind, parent_id, id) DO UPDATE SET revision = excluded.revision, document = excluded.document,
       labels = excluded.labels`,
    ...[id, JSON.stringify({ username: id, labels }), JSON.stringify(labels)],
  );
  database.run("DELETE FROM resource_removals WHERE kind = 'consumer' AND id = ?", id);
}

function removeAsBefore(database: SqliteDatabase, id: string): void {
  database.run("UPDATE gateway_groups SET revision = revision + 1 WHERE id = 'default'");
  database.run("DELETE FROM resources WHERE kind = 'consumer' AND id = ?", id);
  database.run(
    `INSERT INTO resource_removals (group_id, kind, parent_id, id, revision, position, at)
     SELECT 'default', 'consumer', '', ?, revision, 0, 0 FROM gateway_groups WHERE id = 'default'`,
    id,
  );
}
