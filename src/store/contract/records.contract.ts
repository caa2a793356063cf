import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiToken, AuditEntry, GatewayGroup, User } from '../store.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { AUTHOR, keyOf, putAll, serviceWrite } from './sample-writes.ts';

const USER: User = { id: 'u1', username: 'admin', passwordHash: '$argon2id$…', mustChangePassword: true, createdAt: 1 };
const TOKEN: ApiToken = {
  id: 't1',
  name: 'first',
  userId: 'u1',
  tokenHash: Buffer.alloc(32, 7),
  expiresAt: 0,
  revokedAt: undefined,
  createdAt: 2,
};

/** What is no resource: groups, settings, users, tokens, the audit log. */
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

  test('users are found by their exact name, which only one of them has', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putUser(USER));
    assert.deepEqual(await store.findUserByName('admin'), USER);
    assert.equal(await store.findUserByName('Admin'), undefined);
    const namesake = store.transaction(AUTHOR, (transaction) => transaction.putUser({ ...USER, id: 'u2' }));
    await assert.rejects(namesake, { reason: 'admin_invalid' });
    const changed = { ...USER, username: 'root', mustChangePassword: false };
    await store.transaction(AUTHOR, (transaction) => transaction.putUser(changed));
    assert.deepEqual(await store.listUsers(), [changed]);
  });

  test('a token is found by its hash, revoked ones too, so that they are not made again', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putToken(TOKEN));
    assert.deepEqual(await store.findTokenByHash(TOKEN.tokenHash), TOKEN);
    assert.equal(await store.findTokenByHash(Buffer.alloc(32)), undefined);
    await store.transaction(AUTHOR, (transaction) => transaction.putToken({ ...TOKEN, revokedAt: 9 }));
    assert.equal((await store.findTokenByHash(TOKEN.tokenHash))?.revokedAt, 9);
    await assert.rejects(store.transaction(AUTHOR, (transaction) => transaction.putToken({ ...TOKEN, id: 't2' })));
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
