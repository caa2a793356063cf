import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { StartError } from '../../errors/index.ts';
import { firstSchema } from '../migrations/0001-first-schema.ts';
import { MIGRATIONS, type Migration } from '../migrations/index.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { openConnections } from './open-connections.ts';
import { SqliteDatabase } from './sqlite-database.ts';

const FIRST: Migration = { version: 1, name: 'one', oldestCompatible: 1, sqlite: 'CREATE TABLE notes (text TEXT) STRICT', postgres: '' };

test('migrations run once, in order, and the database remembers them', async (context) => {
  const { file } = await makeDatabaseFolder(context);
  await withDatabase(file, [FIRST, expanding(2)], (writer) => writer.run("INSERT INTO notes (text) VALUES ('kept')"));
  await withDatabase(file, [FIRST, expanding(2), expanding(3)], (writer) => {
    assert.deepEqual(writer.all('SELECT version, applied_at FROM schema_migrations ORDER BY version'), [
      { version: 1, applied_at: 1_800_000_000 },
      { version: 2, applied_at: 1_800_000_000 },
      { version: 3, applied_at: 1_800_000_000 },
    ]);
    assert.deepEqual(writer.all('SELECT * FROM notes'), [{ text: 'kept', column2: null, column3: null }]);
  });
});

test('before a migration what was there is copied, for the owner alone, and the last three copies stay', async (context) => {
  const { folder, file } = await makeDatabaseFolder(context);
  await withDatabase(file, [FIRST], (writer) => writer.run("INSERT INTO notes VALUES ('old')"));
  assert.deepEqual(await copiesIn(folder), []);
  const migrations = [FIRST];
  for (const version of [2, 3, 4, 10]) {
    migrations.push(expanding(version));
    await withDatabase(file, migrations, (writer) => writer.run('UPDATE notes SET text = ?', `at ${version}`));
  }
  assert.deepEqual(await copiesIn(folder), ['portcullis.db.before-10', 'portcullis.db.before-3', 'portcullis.db.before-4']);
  const copy = `${file}.before-10`;
  assert.equal((await stat(copy)).mode & 0o777, 0o600);
  const copied = new SqliteDatabase(copy, { readOnly: true, busyTimeoutMs: 0 });
  assert.deepEqual(copied.all('SELECT text FROM notes'), [{ text: 'at 4' }]);
  assert.equal(copied.pragma('integrity_check'), 'ok');
  copied.close();
});

test('a migration that fails changes nothing, nor do those that ran before it', async (context) => {
  const { file } = await makeDatabaseFolder(context);
  await withDatabase(file, [FIRST], (writer) => writer.run("INSERT INTO notes (text) VALUES ('kept')"));
  const broken = { ...expanding(3), sqlite: 'CREATE TABLE broken (' };
  await assert.rejects(openConnections({ file, clock: new FakeClock(), migrations: [FIRST, expanding(2), broken] }));
  await withDatabase(file, [FIRST], (writer) => {
    assert.deepEqual(writer.all('SELECT * FROM notes'), [{ text: 'kept' }]);
    assert.deepEqual(writer.all('SELECT version FROM schema_migrations'), [{ version: 1 }]);
  });
});

test('older software runs on what a newer one expanded, and is refused once it contracted', async (context) => {
  const { folder, file } = await makeDatabaseFolder(context);
  await withDatabase(file, [FIRST, expanding(2)], () => undefined);
  await withDatabase(file, [FIRST], (writer) => writer.run("INSERT INTO notes (text) VALUES ('by the older')"));
  const contracting = { version: 3, name: 'three', oldestCompatible: 2, sqlite: 'ALTER TABLE notes DROP COLUMN text', postgres: '' };
  await withDatabase(file, [FIRST, expanding(2), contracting], () => undefined);
  const names = await readdir(folder);
  await assert.rejects(openConnections({ file, clock: new FakeClock(), migrations: [FIRST] }), (error) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /^The database .* was written by a newer version .* needs schema 2, this version knows 1.*\.$/);
    return true;
  });
  assert.deepEqual(await readdir(folder), names);
});

test('two processes that start at once migrate once', async (context) => {
  const { file } = await makeDatabaseFolder(context);
  await withDatabase(file, [FIRST], () => undefined);
  const migrations = [FIRST, expanding(2)];
  const opened = await Promise.all([1, 2, 3].map(() => openConnections({ file, clock: new FakeClock(), migrations })));
  for (const { writer, reader } of opened) {
    assert.equal(reader.all('SELECT column2 FROM notes').length, 0);
    reader.close();
    writer.close();
  }
});

test('versions from before history knew when they were superseded are told that', async (context) => {
  const { file } = await makeDatabaseFolder(context);
  const rows = [
    ['a', 1, 'put', 10],
    ['b', 2, 'put', 20],
    ['a', 3, 'put', 30],
    ['b', 4, 'delete', 40],
  ] as const;
  await withDatabase(file, [firstSchema], (writer) => {
    for (const [id, revision, op, at] of rows) {
      writer.run(
        `INSERT INTO resource_versions (group_id, kind, parent_id, id, revision, op, author_id, author_name, at)
         VALUES ('g', 'service', '', ?, ?, ?, 'x', 'x', ?)`,
        ...[id, revision, op, at],
      );
    }
  });
  await withDatabase(file, MIGRATIONS, (writer) => {
    assert.deepEqual(writer.all('SELECT superseded_at AS at, superseded_revision AS revision FROM resource_versions ORDER BY number'), [
      { at: 30, revision: 3 },
      { at: 40, revision: 4 },
      { at: null, revision: null },
      { at: 40, revision: 4 },
    ]);
  });
});

function expanding(version: number): Migration {
  return {
    version,
    name: `step ${version}`,
    oldestCompatible: 1,
    sqlite: `ALTER TABLE notes ADD COLUMN column${version} TEXT`,
    postgres: '',
  };
}

async function withDatabase(file: string, migrations: readonly Migration[], use: (writer: SqliteDatabase) => unknown): Promise<void> {
  const { writer, reader } = await openConnections({ file, clock: new FakeClock(), migrations });
  try {
    use(writer);
  } finally {
    reader.close();
    writer.close();
  }
}

async function copiesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => path.basename(name).includes('.before-')).sort();
}
