import assert from 'node:assert/strict';
import { test } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { systemRandom } from '../../lib/random.ts';
import { openKeyring } from '../keyring.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { parseDatabaseUrl } from '../postgres/database-url.ts';
import { PostgresDatabase } from '../postgres/postgres-database.ts';
import { openPostgresStore } from '../postgres/postgres-store.ts';
import { readOneState } from '../postgres/run-transaction.ts';
import { SqliteDatabase } from '../sqlite/sqlite-database.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { type DatabaseSchema, makeDatabaseSchema } from '../testing/database-schema.ts';
import { verifyAuditChain } from '../verify-audit-chain.ts';
import { migrateStore } from './migrate-store.ts';
import { isCarried } from './portable-table.ts';
import { postgresTables } from './read-postgres.ts';
import { sqliteTables } from './read-sqlite.ts';
import { fillSampleStore, SAMPLE_DIGEST } from './testing/sample-store.ts';

const clock = new FakeClock();

withPostgres('every table and column of one database is in the other, of a type that can be carried over', async (t, url) => {
  const { file, open } = await makeDatabaseFolder(t);
  await (await open()).close();
  const target = await makeDatabaseSchema(t, url);
  await target.open();
  const sqlite = new SqliteDatabase(file, { readOnly: true, busyTimeoutMs: 0 });
  t.after(() => sqlite.close());
  const database = new PostgresDatabase({ ...target.options, address: parseDatabaseUrl(target.url), connections: 1 });
  t.after(() => database.close());
  const sorted = (tables: ReturnType<typeof sqliteTables>) => [...tables].sort((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(sorted(await readOneState(database, postgresTables)), sorted(sqliteTables(sqlite)));
  // What is left out by name exists: a table that is renamed is noticed.
  const names = sqlite.column<string>("SELECT name FROM sqlite_schema WHERE type = 'table'");
  assert.equal(names.filter((name) => !isCarried(name)).length, 7);
});

withPostgres('a store comes to PostgreSQL as it is, and a second run finds it complete', async (t, url) => {
  const { source, target } = await filled(t, url);
  const migrated = await migrateStore({ file: source.file, target: target.options, clock });
  assert.equal(migrated.kind, 'copied');
  assert.equal((await migrateStore({ file: source.file, target: target.options, clock })).kind, 'complete');
  const [before, after] = [await source.open(), await target.open({ keyringFile: source.keyringFile })];
  assert.equal((await after.getGroup('default'))?.revision, (await before.getGroup('default'))?.revision);
  for (const kind of ['consumer', 'credential', 'service']) {
    const query = { groupId: 'default', kind };
    assert.deepEqual(await after.listResources(query), await before.listResources(query));
  }
  assert.deepEqual(
    (await after.listResources({ groupId: 'default', kind: 'consumer', labels: new Map([['2', 'a\0b']]) })).map(({ key }) => key.id),
    ['jack'],
  );
  assert.equal((await after.selectResources({ groupId: 'default', kind: 'consumer', order: 'name', direction: 'ascending' })).total, 3);
  assert.deepEqual(await after.findUnique('default', { space: 'key-auth', digest: SAMPLE_DIGEST }), {
    groupId: 'default',
    kind: 'credential',
    parentId: 'jack',
    id: 'c1',
  });
  assert.deepEqual([await after.listUsers(), await after.listTokens('u1')], [await before.listUsers(), await before.listTokens('u1')]);
  assert.deepEqual(
    await after.getRecord('login_option', 'l1', { secrets: true }),
    await before.getRecord('login_option', 'l1', { secrets: true }),
  );
  assert.deepEqual(await after.getSetting('secret'), Buffer.from('hidden'));
  assert.deepEqual((await verifyAuditChain(after, {})).breaks, []);
  // Numbers go on behind the highest that was ever given.
  await fillSampleStore(after, 'later');
  const numbers = (await after.pageOfAudit(undefined, 2)).map(({ number }) => number);
  assert.ok((numbers.at(-1) ?? 0) > ((await before.pageOfAudit(undefined, 1))[0]?.number ?? 0));
  assert.equal((await after.getGroup('default'))?.revision, ((await before.getGroup('default'))?.revision ?? 0) + 3);
  assert.deepEqual((await verifyAuditChain(after, {})).breaks, []);
});

withPostgres('a target that holds something else is refused with what is there, and is left as it was', async (t, url) => {
  const { source, target } = await filled(t, url);
  const other = await target.open();
  await fillSampleStore(other, 'other');
  await assert.rejects(
    migrateStore({ file: source.file, target: target.options, clock }),
    /holds another store \(5 resources, 1 users, 1 tokens; gateway groups: default at revision 3\)/,
  );
  assert.equal((await other.listUsers()).length, 1);
  await target.query('DROP TABLE schema_migrations');
  await assert.rejects(migrateStore({ file: source.file, target: target.options, clock }), /holds tables of another program/);
});

withPostgres('a migration that fails half-way leaves nothing that could be opened', async (t, url) => {
  const { source, target } = await filled(t, url);
  // A value that one of the last tables cannot take.
  const file = new BetterSqlite3(source.file);
  file.pragma('ignore_check_constraints = ON');
  file.exec(`UPDATE users SET must_change_password = 2`);
  file.close();
  await assert.rejects(migrateStore({ file: source.file, target: target.options, clock }));
  assert.deepEqual(await target.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [target.schema]), []);
});

withPostgres('a target whose tables are made but empty is filled; a keyring that is not there is missed by its name', async (t, url) => {
  const { source, target } = await filled(t, url);
  await (await target.open({ keyringFile: source.keyringFile })).close();
  // Its own check of the keyring is all that an opened store has in it.
  await target.query('DELETE FROM keyring_checks');
  await target.query('DELETE FROM settings');
  assert.equal((await migrateStore({ file: source.file, target: target.options, clock })).kind, 'copied');
  const keyring = await openKeyring({ file: `${source.folder}/nothing.json`, random: systemRandom });
  await assert.rejects(openPostgresStore({ ...target.options, keyring, clock }), /lacks the key [0-9a-f]+/);
});

test('a file of another program, and one of a newer version, are not read', async (t) => {
  const { file, open } = await makeDatabaseFolder(t);
  await (await open()).close();
  const target = { url: 'postgres://x@127.0.0.1:1/x', schema: 'x', connections: 2, timeoutMs: 100, statementTimeoutMs: 100, patienceMs: 0 };
  const database = new BetterSqlite3(file);
  database.exec(`INSERT INTO schema_migrations VALUES (${(MIGRATIONS.at(-1)?.version ?? 0) + 1}, 'x', 1, 0)`);
  database.close();
  await assert.rejects(migrateStore({ file, target, clock }), /written by a newer version/);
});

async function filled(
  t: Parameters<Parameters<typeof withPostgres>[1]>[0],
  url: string,
): Promise<{ source: Awaited<ReturnType<typeof makeDatabaseFolder>>; target: DatabaseSchema }> {
  const source = await makeDatabaseFolder(t);
  const store = await source.open();
  await fillSampleStore(store, 'sample');
  return { source, target: await makeDatabaseSchema(t, url) };
}
