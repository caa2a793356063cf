import assert from 'node:assert/strict';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { withPostgres } from '../../../test-support/with-postgres.ts';
import { systemRandom } from '../../lib/random.ts';
import { FieldCipher } from '../field-cipher.ts';
import { openKeyring } from '../keyring.ts';
import { formatCursor } from '../lists/sort-key.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { makeDatabaseSchema } from '../testing/database-schema.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { findAuditRows } from './find-audit.ts';
import { migrate } from './migrate.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { PostgresDatabase } from './postgres-database.ts';
import { PostgresHistoryReader } from './postgres-history-reader.ts';
import { type ConnectionSource, PostgresReader } from './postgres-reader.ts';
import { rebuildLists } from './rebuild-lists.ts';

const SAMPLE_ROWS = `
  INSERT INTO gateway_groups (id, name, description, revision, removals_kept_after, created_at, updated_at)
    VALUES ('default', '', '', 6000, 0, 0, 0);
  INSERT INTO resources (group_id, kind, parent_id, id, owner_kind, owner_id, revision, position, created_at, updated_at, document)
    SELECT 'default', kind, CASE kind WHEN 'credential' THEN 'user' || number % 500 ELSE '' END, 'id' || number,
      CASE kind WHEN 'credential' THEN 'consumer' END, CASE kind WHEN 'credential' THEN 'user' || number % 500 END, number, 0, 0, 0, '{}'
    FROM generate_series(1, 6000) AS number,
      LATERAL (SELECT CASE WHEN number % 3 = 0 THEN 'credential' WHEN number % 3 = 1 THEN 'route' ELSE 'service' END AS kind) AS kinds`;

const SAMPLE_PAST = `
  INSERT INTO resource_versions (group_id, kind, parent_id, id, revision, op, author_id, author_name, at, document)
    SELECT 'default', 'service', '', 'id' || number % 500, number, 'put', 'a', 'a', number, '{}' FROM generate_series(1, 6000) AS number;
  INSERT INTO audit_entries (at, author_id, author_name, action, group_id, resource, address, detail)
    SELECT number, 'a' || number % 50, '', 'x' || number % 50, 'g' || number % 50, 'r' || number % 50, 'd' || number % 50, '{}'
    FROM generate_series(1, 6000) AS number;
  ANALYZE resource_versions, audit_entries`;

withPostgres('no read goes through a whole table: each finds its rows by an index', async (context, url) => {
  const { options, keyringFile } = await makeDatabaseSchema(context, url);
  const settings = { ...options, address: parseDatabaseUrl(options.url) };
  await migrate({ database: settings, clock: new FakeClock(), migrations: MIGRATIONS });
  const database = new PostgresDatabase(settings);
  context.after(() => database.close());
  await database.lend(async (connection) => {
    // Small tables are read whole, unless that is forbidden: then a plan that still does so has no index to use.
    await connection.execute(`BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; ${SAMPLE_ROWS}; ANALYZE resources`);
    await rebuildLists(connection, 'default');
    const lines: string[] = [];
    const source = explaining(connection, lines);
    const cipher = new FieldCipher(await openKeyring({ file: keyringFile, random: systemRandom }));
    const queries = new PostgresReader(source, cipher);
    const credentials = { groupId: 'default', kind: 'credential' };
    const owner = { kind: 'consumer', id: 'alice' };
    await queries.getResource({ ...credentials, parentId: 'alice', id: 'c1' });
    await queries.listResources(credentials);
    await queries.listResources({ ...credentials, parentId: 'alice' });
    await queries.listResources({ ...credentials, owner });
    await queries.listResources({ ...credentials, parentId: 'alice', owner, labels: new Map([['a', 'b']]) });
    await queries.pageOfResources('default', { ...credentials, parentId: 'alice', id: 'c1' }, 10);
    await queries.findUnique('default', { space: 'key-auth', digest: Buffer.alloc(32) });
    await queries.findTokenByHash(Buffer.alloc(32));
    await queries.findUserByName('admin');
    await queries.changesSince('default', 5990);
    const listed = { ...credentials, order: 'updated', direction: 'descending' } as const;
    await queries.selectResources(listed);
    await queries.selectResources({ ...listed, part: { kind: 'page', offset: 2, limit: 2 } });
    await queries.selectResources({ ...listed, part: { kind: 'after', cursor: formatCursor('updated', '0'), limit: 2 } });
    await queries.selectResources({ ...listed, search: 'a', labelNames: ['team'], part: { kind: 'page', offset: 0, limit: 2 } });
    await queries.resourcesAt(listed, [1, 2]);
    await connection.execute('ROLLBACK');
    assert.deepEqual(
      lines.filter((line) => line.includes('Seq Scan')),
      [],
    );
    const indexes = lines.flatMap((line) => /using (\S+) on/.exec(line)?.[1] ?? []);
    for (const name of [
      'resources_by_key',
      'resources_by_kind_and_age',
      'resources_by_owner',
      'resources_by_change',
      'list_entries_pkey',
    ]) {
      assert.ok(indexes.includes(name), `${name} is used; used are ${indexes.join(', ')}`);
    }
  });
});

withPostgres('no read of the past goes through a whole table, and the audit log comes sorted from an index', async (context, url) => {
  const { options, keyringFile } = await makeDatabaseSchema(context, url);
  const settings = { ...options, address: parseDatabaseUrl(options.url) };
  await migrate({ database: settings, clock: new FakeClock(), migrations: MIGRATIONS });
  const database = new PostgresDatabase(settings);
  context.after(() => database.close());
  await database.lend(async (connection) => {
    await connection.execute(`BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; ${SAMPLE_PAST}`);
    const lines: string[] = [];
    const source = explaining(connection, lines);
    const cipher = new FieldCipher(await openKeyring({ file: keyringFile, random: systemRandom }));
    const queries = new PostgresHistoryReader(source, cipher);
    const key = { groupId: 'default', kind: 'service', parentId: '', id: 'id7' };
    await queries.listVersions(key, 10, 7);
    await queries.listVersionHeads(key, 10, 7);
    await queries.countVersions(key);
    await queries.versionAt(key, 7);
    const sorted = lines.length;
    await queries.listRevisions('default', 10, 70);
    await queries.listVersionsOfRevision('default', 7, 10);
    await queries.listChangedKeys('default', 5990);
    await queries.historyKeptFrom('default');
    const audit = lines.length;
    const condition = { authorId: 'a7', action: 'x7', groupId: 'g7', resource: 'r7', address: 'd7' };
    for (const [name, value] of Object.entries(condition)) {
      await source.run((explained) => findAuditRows(explained, { [name]: value, from: 1 }, { at: 3000, number: 4 }, 10));
    }
    await source.run((explained) => findAuditRows(explained, { from: 1, until: 2000 }, { at: 3000, number: 4 }, 10));
    await connection.execute('ROLLBACK');
    assert.deepEqual(
      lines.filter((line) => line.includes('Seq Scan')),
      [],
    );
    assert.deepEqual(
      [...lines.slice(0, sorted), ...lines.slice(audit)].filter((line) => /Sort/.test(line)),
      [],
    );
    const indexes = new Set(lines.slice(audit).flatMap((line) => /using (\S+) on/.exec(line)?.[1] ?? []));
    assert.deepEqual(
      [...indexes].sort(),
      ['action', 'address', 'author', 'group', 'resource', 'time'].map((name) => `audit_entries_by_${name}`),
    );
  });
});

/** Explains every query that is run on the connection. */
function explaining(connection: PostgresConnection, lines: string[]): ConnectionSource {
  const explain = async (sql: string, values: Parameters<PostgresConnection['all']>[1][]): Promise<void> => {
    const plan = await connection.all<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, ...values);
    lines.push(...plan.map((row) => row['QUERY PLAN']));
  };
  const proxy = new Proxy(connection, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (sql: string, ...values: Parameters<PostgresConnection['all']>[1][]) => {
        if (name === 'get' || name === 'all') await explain(sql, values);
        return Reflect.apply(value, target, [sql, ...values]);
      };
    },
  });
  return { run: (work) => work(proxy), runOnOneState: (work) => work(proxy) };
}
