import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditQuery, StoreHistory } from '../history.ts';
import type { AuditEntry, Store } from '../store.ts';
import { verifyAuditChain } from '../verify-audit-chain.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { AUTHOR } from './sample-writes.ts';

const ENTRY: AuditEntry = {
  at: 100,
  author: AUTHOR,
  action: 'service.put',
  groupId: 'default',
  resource: 'service/a',
  address: '127.0.0.1',
  detail: { status: 200, text: 'half \ud800 a pair' },
};

/** The audit log: what is found in it, and that it is chained. */
export function auditContract(makeDatabase: MakeDatabase): void {
  test('an entry tells where its change came from, told once by the transaction', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const origin = { source: 'api', address: '192.0.2.1', userAgent: 'curl/8', reason: 'ticket 7', requestId: 'r-1' } as const;
    await store.transaction({ ...AUTHOR, origin }, (transaction) => transaction.appendAudit({ ...ENTRY, address: undefined }));
    const [entry] = await store.pageOfAudit(undefined, 1);
    assert.deepEqual([entry?.author, entry?.origin, entry?.address], [AUTHOR, origin, '192.0.2.1']);
  });

  test('entries are found by every condition and by all of them together, in pages, the latest first', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const other = { ...ENTRY, at: 200, author: { id: 'cli', name: 'cli' }, action: 'token.create', resource: 'token/t' };
    await append(store, ENTRY, { ...other, groupId: undefined, address: undefined }, { ...ENTRY, at: 150, resource: 'service/b' });
    const find = async (query: AuditQuery) => (await store.findAudit(query, undefined, 9)).map(({ number }) => number);
    assert.deepEqual(await find({}), [2, 3, 1]);
    assert.deepEqual(await find({ authorId: 'cli' }), [2]);
    assert.deepEqual(await find({ action: 'service.put' }), [3, 1]);
    assert.deepEqual(await find({ groupId: 'default', resource: 'service/b', address: '127.0.0.1' }), [3]);
    assert.deepEqual(await find({ from: 150, until: 200 }), [3]);
    assert.deepEqual(await find({ authorId: 'cli', action: 'service.put' }), []);
    const [first] = await store.findAudit({}, undefined, 1);
    assert.deepEqual(
      (await store.findAudit({}, first, 9)).map(({ number }) => number),
      [3, 1],
    );
    assert.deepEqual(await store.listAuditActions(), ['service.put', 'token.create']);
  });

  test('the log verifies from the first entry on, while it is written to, and after any retention', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    assert.deepEqual((await verifyAuditChain(store)).breaks, []);
    for (let at = 1; at <= 30; at += 1) await append(store, { ...ENTRY, at }, { ...ENTRY, at });
    const second = await open();
    await append(second, { ...ENTRY, at: 31 });
    const [report] = await Promise.all([verifyAuditChain(store), append(second, { ...ENTRY, at: 32 }, { ...ENTRY, at: 33 })]);
    assert.deepEqual(report.breaks, []);
    assert.deepEqual([report.entries >= 61, report.forgottenUpTo], [true, undefined]);
    while ((await store.pruneHistory({ versionsBefore: 0, auditBefore: 21, limit: 7 })) > 0) {
      assert.deepEqual((await verifyAuditChain(store)).breaks, []);
    }
    await store.pruneHistory({ versionsBefore: 0, auditBefore: 0, auditBelow: 51, limit: 100 });
    const pruned = await verifyAuditChain(second);
    assert.deepEqual([pruned.entries, pruned.forgottenUpTo, pruned.breaks], [13, 50, []]);
    await store.pruneHistory({ versionsBefore: 0, auditBefore: 1000, limit: 100 });
    await append(store, ENTRY);
    const last = await verifyAuditChain(store);
    assert.deepEqual([last.entries, last.forgottenUpTo, last.breaks], [1, 63, []]);
  });

  test('what several processes write at once is one chain', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const stores = [store, await open(), await open()];
    await Promise.all(Array.from({ length: 30 }, (_, at) => append(stores[at % 3] ?? store, { ...ENTRY, at })));
    const report = await verifyAuditChain(store);
    assert.deepEqual([report.entries, report.breaks], [30, []]);
  });

  test('a transaction that fails leaves neither an entry nor a trace in the chain', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await append(store, ENTRY);
    const failing = store.transaction(AUTHOR, async (transaction) => {
      await transaction.appendAudit(ENTRY);
      throw new Error('no');
    });
    await assert.rejects(failing, /no/);
    await append(store, ENTRY);
    const report = await verifyAuditChain(store);
    assert.deepEqual([report.entries, report.breaks], [2, []]);
  });

  test('a clock that was set back or ahead makes retention forget less, never more', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await append(store, { ...ENTRY, at: 10 }, { ...ENTRY, at: 500 }, { ...ENTRY, at: 0 }, { ...ENTRY, at: 600 });
    assert.equal(await store.pruneHistory({ versionsBefore: 0, auditBefore: 100, limit: 9 }), 1);
    assert.deepEqual((await store.pageOfAudit(undefined, 9)).length, 3);
  });

  test('an end that was noted is found as long as the log goes on from it', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await append(store, ENTRY);
    const { head } = await verifyAuditChain(store);
    assert.ok(typeof head !== 'string');
    await append(store, ENTRY);
    assert.deepEqual((await verifyAuditChain(store, { noted: head })).breaks, []);
    const forged = { number: head.number, hash: Buffer.alloc(32, 1) };
    assert.deepEqual((await verifyAuditChain(store, { noted: forged })).breaks, [{ kind: 'noted', number: 1 }]);
    await store.pruneHistory({ versionsBefore: 0, auditBefore: 0, auditBelow: 3, limit: 9 });
    assert.deepEqual((await verifyAuditChain(store, { noted: head })).breaks, []);
  });
}

async function append(store: Store & StoreHistory, ...entries: readonly AuditEntry[]): Promise<void> {
  await store.transaction(AUTHOR, async (transaction) => {
    for (const entry of entries) await transaction.appendAudit(entry);
  });
}
