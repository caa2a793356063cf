import assert from 'node:assert/strict';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { StartError } from '../../errors/index.ts';
import { AUTHOR, credentialWrite, keyOf, putAll, remove, serviceWrite, uniqueKey } from '../contract/sample-writes.ts';
import { firstSchema } from '../migrations/0001-first-schema.ts';
import { MIGRATIONS, type Migration } from '../migrations/index.ts';
import { type DatabaseSchema, makeDatabaseSchema } from '../testing/database-schema.ts';
import { verifyAuditChain } from '../verify-audit-chain.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { migrate } from './migrate.ts';

const FIRST: Migration = { version: 1, name: 'one', oldestCompatible: 1, sqlite: '', postgres: 'CREATE TABLE notes (text TEXT)' };

withPostgres('migrations run once, in order, and the schema remembers them', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  await migrateTo(database, [FIRST, expanding(2)]);
  await database.query("INSERT INTO notes (text) VALUES ('kept')");
  await migrateTo(database, [FIRST, expanding(2), expanding(3)]);
  assert.deepEqual(await database.query('SELECT version, applied_at::text FROM schema_migrations ORDER BY version'), [
    { version: 1, applied_at: '1800000000' },
    { version: 2, applied_at: '1800000000' },
    { version: 3, applied_at: '1800000000' },
  ]);
  assert.deepEqual(await database.query('SELECT * FROM notes'), [{ text: 'kept', column2: null, column3: null }]);
});

withPostgres('five control planes that start at the same moment migrate once and all of them run', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const stores = await Promise.all([1, 2, 3, 4, 5].map(() => database.open()));
  assert.deepEqual(await database.query('SELECT count(*)::integer AS steps FROM schema_migrations'), [{ steps: MIGRATIONS.length }]);
  assert.deepEqual(await database.query('SELECT count(*)::integer AS keys FROM keyring_checks'), [{ keys: 1 }]);
  await stores[0]?.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'default', description: '' }));
  await Promise.all(stores.map((store, index) => putAll(store, credentialWrite('alice', `c${index}`, `key-${index}`))));
  for (const store of stores) assert.equal((await store.getGroup('default'))?.revision, 5);
  assert.equal((await stores[3]?.getResource(keyOf('credential', 'c1', 'alice')))?.revision !== undefined, true);
});

withPostgres('a migration that fails changes nothing, nor do those that ran before it', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  await migrateTo(database, [FIRST]);
  await database.query("INSERT INTO notes (text) VALUES ('kept')");
  const broken = { ...expanding(3), postgres: 'CREATE TABLE broken (' };
  await assert.rejects(migrateTo(database, [FIRST, expanding(2), broken]), { code: '42601' });
  assert.deepEqual(await database.query('SELECT * FROM notes'), [{ text: 'kept' }]);
  assert.deepEqual(await database.query('SELECT version FROM schema_migrations'), [{ version: 1 }]);
});

withPostgres('older software runs on what a newer one expanded, and is refused once it contracted', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  await migrateTo(database, [FIRST, expanding(2)]);
  await migrateTo(database, [FIRST]);
  const contracting = { ...expanding(3), oldestCompatible: 2, postgres: 'ALTER TABLE notes DROP COLUMN text' };
  await migrateTo(database, [FIRST, expanding(2), contracting]);
  await assert.rejects(migrateTo(database, [FIRST]), startError(/written by a newer version .* needs schema 2, this version knows 1/));
});

withPostgres('a schema with tables of another program is refused and left as it was', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  await database.query(`CREATE SCHEMA ${database.schema} CREATE TABLE schema_migrations (version TEXT)`);
  await assert.rejects(database.open(), startError(/holds tables of another program: choose another one with --database-schema/));
  const tables = await database.query('SELECT table_name FROM information_schema.tables WHERE table_schema = $1', [database.schema]);
  assert.deepEqual(tables, [{ table_name: 'schema_migrations' }]);
});

withPostgres('a running store goes on while a newer one adds a column to every table', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  const store = await database.open({ connections: 2 });
  const useAll = async (round: number): Promise<void> => {
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putGroup({ id: 'default', name: 'default', description: '' });
      await transaction.putUser({ id: 'u', username: 'u', passwordHash: '', mustChangePassword: false, createdAt: 1 });
      await transaction.putToken({
        ...{ id: 't', name: '', userId: 'u', tokenHash: Buffer.alloc(32) },
        ...{ expiresAt: 0, revokedAt: undefined, createdAt: 1 },
      });
      await transaction.putSetting('s', Buffer.from('x'), { secret: true });
      await transaction.appendAudit({
        ...{ at: 1, author: AUTHOR, action: 'a', groupId: undefined },
        ...{ resource: 'r', address: undefined, detail: {} },
      });
    });
    await putAll(store, serviceWrite(`s${round}`), credentialWrite('alice', 'c', 'key'));
    await remove(store, keyOf('service', `s${round}`));
    const reads = () => [
      ...[store.getGroup('default'), store.listGroups(), store.findUserByName('u'), store.listUsers(), store.getSetting('s')],
      ...[store.findTokenByHash(Buffer.alloc(32)), store.listResources({ groupId: 'default', kind: 'credential' })],
      ...[store.pageOfResources('default', undefined, 9), store.changesSince('default', 0), store.pageOfAudit(undefined, 9)],
      ...[store.findUnique('default', uniqueKey('key')), store.listVersions(keyOf('credential', 'c', 'alice'), 9)],
      ...[store.findAudit({}, undefined, 9), store.listAuditActions(), store.pageOfChain(0, 9), store.readChainEnd('head')],
      ...[store.versionAt(keyOf('credential', 'c', 'alice'), 9), store.listRevisions('default', 9), store.historyKeptFrom('default')],
    ];
    // Twice at once, so that all connections take part.
    for (const found of await Promise.all([...reads(), ...reads()])) assert.notEqual(found, undefined);
  };
  const connections = () => database.query('SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY pid', [database.schema]);
  await useAll(1);
  const before = await connections();
  const tables = await database.query('SELECT table_name FROM information_schema.tables WHERE table_schema = $1', [database.schema]);
  assert.ok(tables.length > 8);
  for (const { table_name: table } of tables) await database.query(`ALTER TABLE ${table} ADD COLUMN added TEXT NOT NULL DEFAULT 'new'`);
  await useAll(2);
  // A statement that is no longer what it was when it was prepared would have cost its connection.
  assert.deepEqual(await connections(), before);
});

withPostgres('a past that older software wrote is told and chained, and what it forgets later is counted', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  await migrateTo(database, [firstSchema]);
  await database.query("INSERT INTO gateway_groups VALUES ('g', 'g', '', 4, 0, 1800000000, 0)");
  const write = `INSERT INTO resource_versions (group_id, kind, parent_id, id, revision, op, author_id, author_name, at)
    VALUES ('g', 'service', '', $1, $2, $3, 'x', 'x', $4)`;
  for (const row of [
    ['a', 1, 'put', 10],
    ['b', 2, 'put', 20],
    ['a', 3, 'put', 30],
    ['b', 4, 'delete', 40],
  ])
    await database.query(write, row);
  const entry = `INSERT INTO audit_entries (at, author_id, author_name, action, resource, detail) VALUES (1, 'x', 'x', 'a', $1, '{}')`;
  for (const resource of ['one', 'two']) await database.query(entry, [resource]);
  const store = await database.open();
  assert.deepEqual(
    await database.query(
      'SELECT superseded_at::integer AS at, superseded_revision::integer AS revision FROM resource_versions ORDER BY number',
    ),
    [
      { at: 30, revision: 3 },
      { at: 40, revision: 4 },
      { at: null, revision: null },
      { at: 40, revision: 4 },
    ],
  );
  const report = await verifyAuditChain(store);
  assert.deepEqual([report.entries, report.breaks], [2, []]);
  assert.equal(await store.historyKeptFrom('g'), 0);
  await database.query('DELETE FROM resource_versions WHERE number = 1');
  assert.equal(await store.historyKeptFrom('g'), 3);
  await database.query('DELETE FROM resource_versions WHERE number IN (2, 4)');
  assert.equal(await store.historyKeptFrom('g'), 4);
  await database.query("UPDATE audit_entries SET resource = 'three' WHERE number = 2");
  await store.transaction(AUTHOR, (transaction) =>
    transaction.appendAudit({
      at: 2,
      author: AUTHOR,
      action: 'a',
      groupId: undefined,
      resource: '\0',
      address: undefined,
      detail: { text: '\u0001' },
    }),
  );
  assert.deepEqual((await verifyAuditChain(store)).breaks, [{ kind: 'changed', number: 2 }]);
});

withPostgres('a schema that SQL would read as something else is refused', async (context, url) => {
  const database = await makeDatabaseSchema(context, url);
  for (const schema of ['', 'a"b', 'Upper', 'pg_own', '1st', 'a'.repeat(64)]) {
    await assert.rejects(database.open({ schema }), startError(/--database-schema must be/));
  }
});

function expanding(version: number): Migration {
  return { ...FIRST, version, name: `step ${version}`, postgres: `ALTER TABLE notes ADD COLUMN column${version} TEXT` };
}

async function migrateTo(database: DatabaseSchema, migrations: readonly Migration[]): Promise<void> {
  const address = parseDatabaseUrl(database.url);
  await migrate({ database: { ...database.options, address }, clock: new FakeClock(), migrations });
}

function startError(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StartError, String(error));
    assert.match(error.message, pattern);
    assert.match(error.message, /^[^\n]+\.$/);
    return true;
  };
}
