import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { hashOfEntry } from '../audit-chain.ts';
import { openKeyring } from '../keyring.ts';
import { firstSchema } from '../migrations/0001-first-schema.ts';
import type { AuditRow } from '../rows/history-rows.ts';
import type { Author } from '../store.ts';
import { makeDatabaseFolder } from '../testing/database-folder.ts';
import { type ChainBreak, verifyAuditChain } from '../verify-audit-chain.ts';
import { openConnections } from './open-connections.ts';
import { SqliteDatabase } from './sqlite-database.ts';
import { openSqliteStore } from './sqlite-store.ts';

const AUTHOR: Author = { id: 'token-1', name: 'deploy' };
const COLUMNS = 'at, author_id, author_name, action, group_id, resource, address, detail, origin';

/** What somebody who may write to the file, but has no keyring, does to ten entries; and what is found. */
const ATTACKS: readonly (readonly [string, (database: SqliteDatabase) => void, readonly ChainBreak[]])[] = [
  [
    'changes an entry',
    (database) => database.run(`UPDATE audit_entries SET author_name = 'somebody else' WHERE number = 5`),
    [{ kind: 'changed', number: 5 }],
  ],
  [
    'changes one of its details',
    (database) => database.run(`UPDATE audit_entries SET detail = '{}' WHERE number = 5`),
    [{ kind: 'changed', number: 5 }],
  ],
  ['removes an entry', (database) => database.run('DELETE FROM audit_entries WHERE number = 5'), [{ kind: 'gap', number: 6, after: 4 }]],
  ['removes the first', (database) => database.run('DELETE FROM audit_entries WHERE number = 1'), [{ kind: 'gap', number: 2, after: 0 }]],
  [
    'swaps two entries',
    (database) => swap(database, 4, 5),
    [
      { kind: 'changed', number: 4 },
      { kind: 'gap', number: 4, after: 3 },
      { kind: 'changed', number: 5 },
      { kind: 'gap', number: 5, after: 4 },
      { kind: 'gap', number: 6, after: 5 },
    ],
  ],
  ['cuts the end off', (database) => database.run('DELETE FROM audit_entries WHERE number > 8'), [{ kind: 'end', last: 8, expected: 10 }]],
  ['removes everything', (database) => database.run('DELETE FROM audit_entries'), [{ kind: 'end', last: 0, expected: 10 }]],
  ['appends a forged entry', (database) => forge(database, false), [{ kind: 'beyond', number: 11 }]],
  ['appends one that is chained well', (database) => forge(database, true), [{ kind: 'beyond', number: 11 }]],
  [
    'changes an entry and chains everything anew',
    (database) => {
      database.run(`UPDATE audit_entries SET author_name = 'somebody else' WHERE number = 5`);
      rechain(database, 5);
    },
    [{ kind: 'end', last: 10, expected: 10 }],
  ],
  [
    'removes everything and the end with it',
    (database) => {
      database.run('DELETE FROM audit_entries');
      database.run('DELETE FROM sqlite_sequence');
      database.run(`DELETE FROM settings WHERE name LIKE 'audit-chain-%'`);
    },
    [{ kind: 'lost', which: 'head', state: 'missing' }],
  ],
  [
    'makes it a log of before there was a chain',
    (database) => {
      database.run(`UPDATE audit_entries SET author_name = 'somebody else', hash = NULL, previous_hash = NULL`);
      database.run(`DELETE FROM settings WHERE name LIKE 'audit-chain-%'`);
    },
    [
      ...Array.from({ length: 10 }, (_, index) => ({ kind: 'unchained', number: index + 1 }) as const),
      { kind: 'lost', which: 'head', state: 'missing' },
    ],
  ],
  [
    'puts an older end back',
    (database) => database.run(`UPDATE settings SET value = ? WHERE name = 'audit-chain-head'`, Buffer.from('enc1:k:AAAA')),
    [{ kind: 'lost', which: 'head', state: 'damaged' }],
  ],
  [
    'removes the end',
    (database) => database.run(`DELETE FROM settings WHERE name = 'audit-chain-head'`),
    [{ kind: 'lost', which: 'head', state: 'missing' }],
  ],
];

for (const [what, attack, expected] of ATTACKS) {
  test(`somebody who ${what} is found out, also after the log has gone on`, async (context) => {
    const { file, keyringFile } = await makeLog(context);
    const database = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 0 });
    attack(database);
    database.close();
    const store = await openStore(file, keyringFile);
    context.after(() => store.close());
    assert.deepEqual((await verifyAuditChain(store)).breaks, expected);
    await store.transaction(AUTHOR, (transaction) => transaction.appendAudit(entry(11)));
    const { breaks } = await verifyAuditChain(store, { founding: 'installation.create' });
    assert.ok(breaks.length > 0, 'writing goes on and hides nothing');
  });
}

test('entries that were there before the log was chained are chained when the store is opened', async (context) => {
  const { file, keyringFile } = await makeDatabaseFolder(context);
  const { writer, reader } = await openConnections({ file, clock: new FakeClock(), migrations: [firstSchema] });
  for (let at = 1; at <= 1_500; at += 1) {
    writer.run(
      `INSERT INTO audit_entries (at, author_id, author_name, action, resource, detail) VALUES (?, 'cli', 'cli', 'a', 'r', '{"a": 1}')`,
      at,
    );
  }
  reader.close();
  writer.close();
  const store = await openStore(file, keyringFile);
  context.after(() => store.close());
  await store.transaction(AUTHOR, (transaction) => transaction.appendAudit(entry(1)));
  const report = await verifyAuditChain(store);
  assert.deepEqual([report.entries, report.breaks], [1_501, []]);
  assert.equal((await store.pageOfAudit(2, 1))[0]?.origin.source, 'cli');
});

test('what older software writes beside a newer one is named, and breaks nothing else', async (context) => {
  const { file, keyringFile } = await makeLog(context);
  const database = new SqliteDatabase(file, { readOnly: false, busyTimeoutMs: 0 });
  forge(database, false);
  database.close();
  const store = await openStore(file, keyringFile);
  context.after(() => store.close());
  await store.transaction(AUTHOR, (transaction) => transaction.appendAudit(entry(12)));
  assert.deepEqual((await verifyAuditChain(store)).breaks, [{ kind: 'unchained', number: 11 }]);
});

async function makeLog(context: TestContext): Promise<{ readonly file: string; readonly keyringFile: string }> {
  const { file, keyringFile } = await makeDatabaseFolder(context);
  const store = await openStore(file, keyringFile);
  for (let at = 1; at <= 10; at += 1)
    await store.transaction(AUTHOR, (transaction) =>
      transaction.appendAudit({ ...entry(at), ...(at === 1 ? { action: 'installation.create' } : {}) }),
    );
  await store.close();
  return { file, keyringFile };
}

async function openStore(file: string, keyringFile: string) {
  const keyring = await openKeyring({ file: keyringFile, random: systemRandom });
  return openSqliteStore({ file, keyring, clock: new FakeClock() });
}

function entry(at: number) {
  return { at, author: AUTHOR, action: 'service.put', groupId: 'default', resource: `service/${at}`, address: '::1', detail: { at } };
}

function rowsOf(database: SqliteDatabase): readonly AuditRow[] {
  return database.all<AuditRow>('SELECT * FROM audit_entries ORDER BY number');
}

function swap(database: SqliteDatabase, one: number, other: number): void {
  database.run('UPDATE audit_entries SET number = 999 WHERE number = ?', one);
  database.run('UPDATE audit_entries SET number = ? WHERE number = ?', one, other);
  database.run('UPDATE audit_entries SET number = ? WHERE number = 999', other);
}

function forge(database: SqliteDatabase, isChained: boolean): void {
  database.run(`INSERT INTO audit_entries (${COLUMNS}) SELECT ${COLUMNS} FROM audit_entries WHERE number = 3`);
  if (isChained) rechain(database, 11);
}

function rechain(database: SqliteDatabase, from: number): void {
  for (const row of rowsOf(database).filter(({ number }) => number >= from)) {
    const previous = rowsOf(database).findLast(({ number }) => number < row.number)?.hash ?? Buffer.alloc(32);
    const hash = hashOfEntry(previous, row);
    database.run('UPDATE audit_entries SET previous_hash = ?, hash = ? WHERE number = ?', previous, hash, row.number);
  }
}
