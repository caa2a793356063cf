import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { FieldCipher } from '../field-cipher.ts';
import { openKeyring } from '../keyring.ts';
import { formatCursor } from '../lists/sort-key.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { findAuditRows } from './find-audit.ts';
import { findDissenter } from './find-dissenter.ts';
import { openConnections } from './open-connections.ts';
import { rebuildLists } from './rebuild-lists.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { SqliteHistoryReader } from './sqlite-history-reader.ts';

test('no read goes through a whole table: each finds its rows by an index', async (context) => {
  const { file, keyringFile } = await makeDatabaseFolder(context);
  const { writer, reader } = await openConnections({ file, clock: new FakeClock(), migrations: MIGRATIONS });
  const plans = recordPlans(reader);
  const cipher = new FieldCipher(await openKeyring({ file: keyringFile, random: systemRandom }));
  const queries = new SqliteHistoryReader({ database: plans.database, cipher, assertUsable: () => undefined });
  const credentials = { groupId: 'default', kind: 'credential' };
  const owner = { kind: 'consumer', id: 'alice' };
  await queries.getResource({ ...credentials, parentId: 'alice', id: 'c1' });
  await queries.listResources(credentials);
  await queries.listResources({ ...credentials, parentId: 'alice' });
  await queries.listResources({ ...credentials, owner });
  await queries.listResources({ ...credentials, parentId: 'alice', owner, labels: new Map([['a', 'b']]) });
  await queries.pageOfResources('default', { ...credentials, parentId: 'alice', id: 'c1' }, 10);
  await queries.findUnique('default', { space: 'key-auth', digest: Buffer.alloc(32) });
  findDissenter(plans.database, 'default', { space: 'limit-count', name: Buffer.alloc(32), value: Buffer.alloc(32) }, 1);
  await queries.findTokenByHash(Buffer.alloc(32));
  await queries.findUserByName('admin');
  await queries.getUser('u1');
  await queries.findUserByExternalId('option:subject');
  await queries.getToken('t1');
  await queries.listTokens('u1');
  await queries.getRecord('role', 'r1');
  await queries.findRecordByName('role', 'ops');
  await queries.listRecords('role');
  await queries.listRecords('session', 'u1');
  const selection = { groupId: 'default', kind: 'consumer', order: 'updated', direction: 'descending' } as const;
  writer.run("INSERT INTO resource_lists VALUES (1, 'default', 'consumer', '', 5, 1)");
  await queries.selectResources(selection);
  await queries.selectResources({ ...selection, part: { kind: 'page', offset: 2, limit: 2 } });
  await queries.selectResources({ ...selection, part: { kind: 'after', cursor: formatCursor('updated', '0'), limit: 2 } });
  await queries.selectResources({ ...selection, search: 'a' });
  await queries.resourcesAt(selection, [1, 2]);
  writer.run("INSERT INTO gateway_groups VALUES ('default', '', '', 0, 0, 0, 0)");
  await queries.changesSince('default', 0);
  assert.ok(plans.lines.length > 12);
  // What is scanned as `placed` is a list's blocks, found by their key and numbered.
  assert.deepEqual(
    plans.lines.filter(
      (line) => line.includes('SCAN') && !line.includes('VIRTUAL TABLE') && line !== 'SCAN placed' && !line.startsWith('SCAN (subquery'),
    ),
    [],
  );
  const ranges = plans.lines.filter((line) => line.startsWith('SEARCH unique_values') && /digest[<>]/.test(line));
  assert.deepEqual(ranges, [
    'SEARCH unique_values USING PRIMARY KEY (group_id=? AND space=? AND digest<?)',
    'SEARCH unique_values USING PRIMARY KEY (group_id=? AND space=? AND digest>?)',
  ]);
  assert.deepEqual(plans.indexes('resources'), [
    'resources_by_key (group_id=? AND kind=? AND parent_id=? AND id=?)',
    'resources_by_kind_and_age (group_id=? AND kind=?)',
    'resources_by_key (group_id=? AND kind=? AND parent_id=?)',
    'resources_by_owner (group_id=? AND owner_kind=? AND owner_id=? AND kind=?)',
    'resources_by_owner (group_id=? AND owner_kind=? AND owner_id=? AND kind=?)',
    'resources_by_key (group_id=? AND (kind,parent_id,id)>(?,?,?))',
    'resources_by_change (group_id=? AND revision>?)',
  ]);
  reader.close();
  writer.close();
});

test('no read of the past goes through a whole table, and the audit log comes sorted from an index', async (context) => {
  const { file, keyringFile } = await makeDatabaseFolder(context);
  const { writer, reader } = await openConnections({ file, clock: new FakeClock(), migrations: MIGRATIONS });
  const plans = recordPlans(reader);
  const cipher = new FieldCipher(await openKeyring({ file: keyringFile, random: systemRandom }));
  const queries = new SqliteHistoryReader({ database: plans.database, cipher, assertUsable: () => undefined });
  const key = { groupId: 'default', kind: 'credential', parentId: 'alice', id: 'c1' };
  await queries.listVersions(key, 10, 7);
  await queries.listVersionHeads(key, 10, 7);
  await queries.countVersions(key);
  await queries.versionAt(key, 7);
  await queries.listRevisions('default', 10, 7);
  await queries.listVersionsOfRevision('default', 7, 10);
  await queries.listChangedKeys('default', 7);
  await queries.historyKeptFrom('default');
  const condition = { authorId: 'a', action: 'b', groupId: 'c', resource: 'd', address: 'e' };
  for (const [name, value] of Object.entries(condition))
    findAuditRows(plans.database, { [name]: value, from: 1 }, { at: 3, number: 4 }, 10);
  findAuditRows(plans.database, { from: 1, until: 2 }, { at: 3, number: 4 }, 10);
  assert.ok(plans.lines.length >= 13);
  // The keys that one group changed are sorted out in memory, and nothing else is.
  assert.deepEqual(
    plans.lines.filter((line) => line.includes('SCAN') || (line.includes('TEMP B-TREE') && !line.includes('DISTINCT'))),
    [],
  );
  reader.close();
  writer.close();
});

test('lists are made anew with one search for each entry, however many lists there are', async (context) => {
  const { file } = await makeDatabaseFolder(context);
  const { writer, reader } = await openConnections({ file, clock: new FakeClock(), migrations: MIGRATIONS });
  const plans = recordPlans(writer);
  rebuildLists(plans.database, 'default');
  const searches = plans.lines.filter((line) => /^(SCAN|SEARCH) kept\b/.test(line)).map((line) => line.replace(' COVERING', ''));
  assert.deepEqual(new Set(searches), new Set(['SEARCH kept USING INDEX resource_lists_by_facet (group_id=? AND kind=? AND facet=?)']));
  reader.close();
  writer.close();
});

interface RecordedPlans {
  readonly database: SqliteDatabase;
  readonly lines: string[];
  readonly indexes: (table: string) => readonly string[];
}

/** Wraps a connection so that every query is explained as well. */
function recordPlans(database: SqliteDatabase): RecordedPlans {
  const lines: string[] = [];
  const explaining = new Proxy(database, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (sql: string, ...values: readonly never[]) => {
        if (name === 'get' || name === 'all' || name === 'column' || name === 'run') {
          const plan = target.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values);
          lines.push(...plan.map(({ detail }) => detail));
        }
        return Reflect.apply(value, target, [sql, ...values]);
      };
    },
  });
  const indexes = (table: string) =>
    lines.filter((line) => line.startsWith(`SEARCH ${table} USING INDEX`)).map((line) => line.slice(`SEARCH ${table} USING INDEX `.length));
  return { database: explaining, lines, indexes };
}
