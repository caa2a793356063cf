import assert from 'node:assert/strict';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { AUTHOR, consumerWrite, idsOf, keyOf, putAll, remove } from '../contract/sample-writes.ts';
import type { StoreReader } from '../store.ts';
import { type DatabaseSchema, makeDatabaseSchema } from '../testing/database-schema.ts';

const LIST = { groupId: 'default', kind: 'consumer' };

withPostgres('a database from before lists has them when it was opened, the longest with blocks', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const store = await openWithGroup(database);
  await database.query(
    `INSERT INTO resources (group_id, kind, parent_id, id, revision, position, created_at, updated_at, document)
     SELECT 'default', 'consumer', '', 'c' || number, number, 0, 0, 0,
       json_build_object('username', 'c' || number, 'labels', json_build_object('team', CASE number % 2 WHEN 0 THEN 'x' ELSE 'y' END))
     FROM generate_series(1, 1300) AS number`,
  );
  await database.query("UPDATE gateway_groups SET revision = 1300; DELETE FROM lists_revisions WHERE group_id = 'default'");
  await store.close();
  const reopened = await database.open();
  assert.deepEqual(await database.query("SELECT revision::integer FROM lists_revisions WHERE group_id = 'default'"), [{ revision: 1300 }]);
  const all = await namesOf(reopened);
  assert.deepEqual([all.length, all[0], all.at(-1)], [1_300, 'c1300', 'c1']);
  assert.deepEqual(await namesOf(reopened, { part: { kind: 'page', offset: 1_200, limit: 2 } }), ['c100', 'c99']);
  const labels = new Map([['team', 'x']]);
  assert.deepEqual(await namesOf(reopened, { labels, part: { kind: 'page', offset: 648, limit: 9 } }), ['c4', 'c2']);
  assert.deepEqual(await namesOf(reopened, { search: 'C129', order: 'name', direction: 'ascending' }), [
    ...['c129', 'c1290', 'c1291', 'c1292', 'c1293', 'c1294', 'c1295', 'c1296', 'c1297', 'c1298', 'c1299'],
  ]);
});

withPostgres('lists of many resources are made at the start, however long a statement of theirs takes', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  await (await openWithGroup(database)).close();
  await database.query(
    `INSERT INTO resources (group_id, kind, parent_id, id, revision, position, created_at, updated_at, document)
     SELECT 'default', 'consumer', '', 'c' || number, 1, number, 0, 0, json_build_object('username', 'c' || number)
     FROM generate_series(1, 10000) AS number`,
  );
  await database.query("UPDATE gateway_groups SET revision = 2; DELETE FROM lists_revisions WHERE group_id = 'default'");
  // Longer than a statement may take in the store's everyday work.
  await database.query("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1.2); RETURN NULL; END'");
  await database.query('CREATE TRIGGER slow AFTER INSERT ON list_entries FOR EACH STATEMENT EXECUTE FUNCTION dawdle()');
  const told: string[] = [];
  const onProgress = (message: string): void => void told.push(message);
  const stores = await Promise.all([1, 2].map(() => database.open({ statementTimeoutMs: 1_000, timeoutMs: 1_000, onProgress })));
  for (const store of stores) assert.deepEqual(await namesOf(store, { part: { kind: 'page', offset: 9_999, limit: 2 } }), ['c1']);
  // The other one waited for it, and had nothing left to do.
  assert.equal(told.length, 1);
  assert.match(told[0] ?? '', /lists of the gateway group "default" up to date/);
});

withPostgres('what software from before lists writes and deletes meanwhile is in the next list and write', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const store = await openWithGroup(database);
  await putAll(store, ...['a', 'b', 'c', 'd'].map((id) => consumerWrite(id)));
  await removeAsBefore(database, 'd');
  await putAsBefore(database, 'e');
  await putAsBefore(database, 'd');
  await putAsBefore(database, 'a');
  await removeAsBefore(database, 'b');
  assert.deepEqual(await namesOf(store), ['a', 'd', 'e', 'c']);
  assert.deepEqual(await namesOf(store, { labels: new Map([['team', 'x']]) }), ['a', 'd', 'e']);
  await removeAsBefore(database, 'a');
  await store.transaction(AUTHOR, async (transaction) => {
    assert.deepEqual(await namesOf(transaction), ['d', 'e', 'c']);
    await transaction.putResource(consumerWrite('f'));
    assert.deepEqual(await namesOf(transaction), ['f', 'd', 'e', 'c']);
  });
  await removeAsBefore(database, 'f');
  await putAll(store, consumerWrite('g'));
  assert.deepEqual(await namesOf(store), ['g', 'd', 'e', 'c']);
});

withPostgres('lists are made anew when what was removed since is no longer remembered', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const store = await openWithGroup(database);
  await putAll(store, consumerWrite('a'), consumerWrite('b'));
  await removeAsBefore(database, 'a');
  await putAsBefore(database, 'c');
  await database.query('DELETE FROM resource_removals');
  await database.query('UPDATE gateway_groups SET removals_kept_after = 2');
  assert.deepEqual(await namesOf(store), ['c', 'b']);
});

withPostgres('two control planes that write in turns keep one set of lists', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const stores = [await openWithGroup(database), await database.open()] as const;
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  await Promise.all(numbers.map((number) => putAll(stores[number % 2 === 0 ? 0 : 1], consumerWrite(`u${number}`))));
  await Promise.all([remove(stores[0], keyOf('consumer', 'u3')), remove(stores[1], keyOf('consumer', 'u4'))]);
  for (const store of stores) {
    const names = await namesOf(store, { order: 'name', direction: 'ascending' });
    const left = numbers.filter((number) => number !== 3 && number !== 4).map((number) => `u${number}`);
    assert.deepEqual(names, left.toSorted());
  }
});

withPostgres('a group that is deleted leaves no lists behind', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const store = await openWithGroup(database);
  await putAll(store, consumerWrite('a'));
  await store.transaction(AUTHOR, async (transaction) => {
    await transaction.putResource(consumerWrite('b'));
    await transaction.deleteResource(keyOf('consumer', 'a'));
    await transaction.deleteResource(keyOf('consumer', 'b'));
    assert.equal(await transaction.deleteGroup('default'), true);
  });
  for (const table of ['lists_revisions', 'resource_lists', 'list_entries', 'listed_resources']) {
    assert.deepEqual(await database.query(`SELECT * FROM ${table}`), [], table);
  }
});

async function openWithGroup(database: DatabaseSchema) {
  const store = await database.open();
  await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: '', description: '' }));
  return store;
}

async function namesOf(store: StoreReader, selection: Partial<Parameters<StoreReader['selectResources']>[0]> = {}) {
  const selected = await store.selectResources({ ...LIST, order: 'updated', direction: 'descending', ...selection });
  return idsOf(await store.resourcesAt(LIST, selected.rows));
}

/** Writes as the software before lists did. */
async function putAsBefore(database: DatabaseSchema, id: string): Promise<void> {
  await database.query("UPDATE gateway_groups SET revision = revision + 1 WHERE id = 'default'");
  await database.query(
    `INSERT INTO resources (group_id, kind, parent_id, id, revision, position, created_at, updated_at, document)
     SELECT 'default', 'consumer', '', $1, revision, 0, 0, 0, $2 FROM gateway_groups WHERE id = 'default'
     ON CONFLICT (group_id, kind, parent_id, id) DO UPDATE SET revision = excluded.revision, document = excluded.document`,
    [id, JSON.stringify({ username: id, labels: { team: 'x' } })],
  );
  await database.query("DELETE FROM resource_removals WHERE kind = 'consumer' AND id = $1", [id]);
}

async function removeAsBefore(database: DatabaseSchema, id: string): Promise<void> {
  await database.query("UPDATE gateway_groups SET revision = revision + 1 WHERE id = 'default'");
  await database.query("DELETE FROM resources WHERE kind = 'consumer' AND id = $1", [id]);
  await database.query(
    `INSERT INTO resource_removals (group_id, kind, parent_id, id, revision, position, at)
     SELECT 'default', 'consumer', '', $1, revision, 0, 0 FROM gateway_groups WHERE id = 'default'`,
    [id],
  );
}
