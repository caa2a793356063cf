import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry, GatewayGroup } from '../store.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { AUTHOR, keyOf, putAll, serviceWrite } from './sample-writes.ts';

/** What is no resource: groups, settings, the audit log. */
export function recordContract(makeDatabase: MakeDatabase): void {
  test('a group keeps its revision and time of creation when it is changed', async (context) => {
    const { store, clock } = await makeTestBed(context, makeDatabase);
    clock.advance(3000);
    await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'default', name: 'Main', description: 'd' }));
    const expected = { id: 'default', name: 'Main', description: 'd', revision: 0, createdAt: 1_800_000_000, updatedAt: 1_800_000_003 };
    assert.deepEqual(await store.getGroup('default'), expected);
    assert.deepEqual(await store.listGroups(), [expected]);
    assert.equal(await store.getGroup('none'), undefined);
  });

  test('a group is deleted when it holds no resource, and nothing of it is found any more', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'other', name: 'other', description: '' }));
    await putAll(store, serviceWrite('s', { name: 's' }, 'other'));
    const remove = () => store.transaction(AUTHOR, (transaction) => transaction.deleteGroup('other'));
    await assert.rejects(remove(), { reason: 'admin_conflict' });
    await store.transaction(AUTHOR, (transaction) => transaction.deleteResource(keyOf('service', 's', '', 'other')));
    assert.equal(await remove(), true);
    assert.equal(await store.getGroup('other'), undefined);
    assert.deepEqual(idsOfGroups(await store.listGroups()), ['default']);
    assert.equal(await store.changesSince('other', 0), undefined);
    assert.equal(await remove(), false);
  });

  test('a group that is made again goes on above all revisions that it had, and nothing leads there from them', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const make = () => store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'other', name: 'other', description: '' }));
    assert.equal((await make()).revision, 0);
    await putAll(store, serviceWrite('s', { name: 's' }, 'other'));
    await store.transaction(AUTHOR, (transaction) => transaction.deleteResource(keyOf('service', 's', '', 'other')));
    await store.transaction(AUTHOR, (transaction) => transaction.deleteGroup('other'));
    const { revision } = await make();
    assert.equal(revision, 3);
    assert.equal((await make()).revision, revision);
    for (const former of [0, 1, 2]) assert.equal(await store.changesSince('other', former), undefined);
    assert.deepEqual(await store.changesSince('other', revision), { revision, changes: [] });
    await putAll(store, serviceWrite('t', { name: 't' }, 'other'));
    assert.equal((await store.changesSince('other', revision))?.changes.length, 1);
    const selected = await store.selectResources({ groupId: 'other', kind: 'service', order: 'name', direction: 'ascending' });
    assert.equal(selected.total, 1);
  });

  test('revisions that leap lead on from all that were there, in lists too, and groups that are made later begin above', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, serviceWrite('s', { name: 's' }));
    const { revision = 0 } = (await store.getGroup('default')) ?? {};
    await store.transaction(AUTHOR, (transaction) => transaction.leapRevisions(1000));
    assert.deepEqual(await store.changesSince('default', revision), { revision: revision + 1000, changes: [] });
    await putAll(store, serviceWrite('t', { name: 't' }));
    const since = await store.changesSince('default', revision);
    assert.deepEqual([since?.revision, since?.changes.length], [revision + 1001, 1]);
    const selected = await store.selectResources({ groupId: 'default', kind: 'service', order: 'name', direction: 'ascending' });
    assert.equal(selected.total, 2);
    const made = await store.transaction(AUTHOR, (transaction) => transaction.putGroup({ id: 'late', name: 'late', description: '' }));
    assert.equal(made.revision, 1000);
  });

  test('settings are bytes, secret or not, and the last one counts', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const bytes = Buffer.from([0, 255, 1, 254]);
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putSetting('open', bytes, { secret: false });
      await transaction.putSetting('shut', bytes, { secret: true });
      await transaction.putSetting('empty', Buffer.alloc(0), { secret: true });
      assert.deepEqual(await transaction.getSetting('shut'), bytes);
    });
    await store.transaction(AUTHOR, (transaction) => transaction.putSetting('open', Buffer.from('2'), { secret: true }));
    const second = await open();
    assert.deepEqual(await second.getSetting('open'), Buffer.from('2'));
    assert.deepEqual(await second.getSetting('shut'), bytes);
    assert.deepEqual(await second.getSetting('empty'), Buffer.alloc(0));
    assert.equal(await second.getSetting('none'), undefined);
  });

  test('audit entries are numbered, read backwards, and forgotten by age', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    const entry: AuditEntry = {
      at: 100,
      author: AUTHOR,
      action: 'service.put',
      groupId: 'default',
      resource: 'services/a',
      address: '127.0.0.1',
      detail: { status: 200 },
    };
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.appendAudit(entry);
      await transaction.appendAudit({ ...entry, at: 200, groupId: undefined, address: undefined });
      await transaction.appendAudit({ ...entry, at: 300 });
    });
    const [last, middle] = await store.pageOfAudit(undefined, 2);
    assert.deepEqual([last?.at, middle?.at, middle?.groupId, middle?.address], [300, 200, undefined, undefined]);
    const [first] = await store.pageOfAudit(middle?.number, 9);
    const { origin, hash, ...rest } = first ?? {};
    assert.deepEqual(rest, { ...entry, number: 1 });
    assert.deepEqual([origin?.source, hash?.length], ['api', 32]);
    assert.equal(await store.pruneHistory({ versionsBefore: 0, auditBefore: 250, limit: 1 }), 1);
    assert.equal(await store.pruneHistory({ versionsBefore: 0, auditBefore: 250, limit: 9 }), 1);
    assert.deepEqual(
      (await store.pageOfAudit(undefined, 9)).map(({ at }) => at),
      [300],
    );
  });
}

function idsOfGroups(groups: readonly GatewayGroup[]): readonly string[] {
  return groups.map(({ id }) => id);
}
