import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiToken, RecordWrite, User } from '../store.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { AUTHOR } from './sample-writes.ts';

const USER: User = {
  id: 'u1',
  username: 'admin',
  passwordHash: '$argon2id$…',
  mustChangePassword: true,
  roles: ['super_admin_id'],
  boundary: [],
  externalId: undefined,
  profile: {},
  createdAt: 1,
  updatedAt: 1,
};
const TOKEN: ApiToken = {
  id: 't1',
  name: 'first',
  userId: 'u1',
  tokenHash: Buffer.alloc(32, 7),
  expiresAt: 0,
  revokedAt: undefined,
  lastUsedAt: undefined,
  createdAt: 2,
};
const ROLE: RecordWrite = {
  kind: 'role',
  id: 'r1',
  ownerId: undefined,
  name: 'deployers',
  document: { policies: ['p1'] },
  expiresAt: 0,
  secretPointers: [],
};

/** Users, tokens, and the records that belong to no gateway group. */
export function peopleContract(makeDatabase: MakeDatabase): void {
  test('users are found by id, exact name and external id, each of which only one of them has', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putUser(USER));
    assert.deepEqual(await store.findUserByName('admin'), USER);
    assert.deepEqual(await store.getUser('u1'), USER);
    assert.equal(await store.findUserByName('Admin'), undefined);
    const changed: User = {
      ...USER,
      username: 'root',
      mustChangePassword: false,
      roles: ['a', 'b'],
      boundary: ['p'],
      externalId: 'option:subject',
      profile: { name: 'Åsa', labels: { team: 'x' } },
      updatedAt: 7,
    };
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putUser(changed);
      await assert.rejects(transaction.putUser({ ...USER, id: 'u2', username: 'root' }), { reason: 'admin_conflict' });
      const twin = { ...USER, id: 'u2', username: 'other', externalId: 'option:subject' };
      await assert.rejects(transaction.putUser(twin), { reason: 'admin_conflict' });
    });
    assert.deepEqual(await store.listUsers(), [changed]);
    assert.deepEqual(await store.findUserByExternalId('option:subject'), changed);
    assert.equal(await store.findUserByExternalId('option:Subject'), undefined);
  });

  test('a user who was deleted is gone, and the name is free', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putUser(USER);
      assert.equal(await transaction.deleteUser('u1'), true);
      assert.equal(await transaction.deleteUser('u1'), false);
      await transaction.putUser({ ...USER, id: 'u2' });
    });
    assert.equal(await store.getUser('u1'), undefined);
    assert.equal((await store.findUserByName('admin'))?.id, 'u2');
  });

  test('a token is found by its hash, revoked ones too, so that they are not made again', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, (transaction) => transaction.putToken(TOKEN));
    assert.deepEqual(await store.findTokenByHash(TOKEN.tokenHash), TOKEN);
    assert.deepEqual(await store.getToken('t1'), TOKEN);
    assert.equal(await store.findTokenByHash(Buffer.alloc(32)), undefined);
    await store.transaction(AUTHOR, (transaction) => transaction.putToken({ ...TOKEN, revokedAt: 9 }));
    assert.equal((await store.findTokenByHash(TOKEN.tokenHash))?.revokedAt, 9);
    await assert.rejects(store.transaction(AUTHOR, (transaction) => transaction.putToken({ ...TOKEN, id: 't2' })));
  });

  test('the tokens of a user are listed, the newest first, with the latest use that was recorded', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putToken(TOKEN);
      await transaction.putToken({ ...TOKEN, id: 't2', tokenHash: Buffer.alloc(32, 8), createdAt: 3 });
      await transaction.putToken({ ...TOKEN, id: 't3', tokenHash: Buffer.alloc(32, 9), userId: 'u2' });
      await transaction.recordTokenUse('t1', 50);
      await transaction.recordTokenUse('t1', 40);
      await transaction.recordTokenUse('none', 40);
      // Nothing but a use changes it.
      await transaction.putToken({ ...TOKEN, name: 'renamed' });
    });
    assert.deepEqual(
      (await store.listTokens('u1')).map(({ id, name, lastUsedAt }) => [id, name, lastUsedAt]),
      [
        ['t2', 'first', undefined],
        ['t1', 'renamed', 50],
      ],
    );
  });

  test('a record is found by kind and id, and by its name, and counts its versions', async (context) => {
    const { store, clock } = await makeTestBed(context, makeDatabase);
    const first = await store.transaction(AUTHOR, (transaction) => transaction.putRecord(ROLE));
    const { secretPointers: _, ...fields } = ROLE;
    assert.deepEqual(first, { ...fields, version: 1, createdAt: 1_800_000_000, updatedAt: 1_800_000_000 });
    clock.advance(2000);
    const second = await store.transaction(AUTHOR, (transaction) => transaction.putRecord({ ...ROLE, name: 'ops', ownerId: 'u1' }));
    assert.deepEqual([second.version, second.createdAt, second.updatedAt], [2, 1_800_000_000, 1_800_000_002]);
    assert.deepEqual(await store.getRecord('role', 'r1'), second);
    assert.deepEqual(await store.findRecordByName('role', 'ops'), second);
    assert.equal(await store.findRecordByName('role', 'deployers'), undefined);
    assert.equal(await store.getRecord('policy', 'r1'), undefined);
  });

  test('two records of a kind never share a name, records of two kinds may, and so may those without one', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, async (transaction) => {
      await transaction.putRecord(ROLE);
      await assert.rejects(transaction.putRecord({ ...ROLE, id: 'r2' }), { reason: 'admin_conflict' });
      await transaction.putRecord({ ...ROLE, kind: 'policy' });
      await transaction.putRecord({ ...ROLE, id: 'r3', name: undefined });
      await transaction.putRecord({ ...ROLE, id: 'r4', name: undefined });
    });
    assert.equal((await store.listRecords('role')).length, 3);
  });

  test('records are listed most recently updated first, and by owner', async (context) => {
    const { store, clock } = await makeTestBed(context, makeDatabase);
    for (const [id, ownerId] of [
      ['a', 'u1'],
      ['b', 'u2'],
      ['c', 'u1'],
      ['a', 'u1'],
    ] as const) {
      clock.advance(1000);
      await store.transaction(AUTHOR, (transaction) => transaction.putRecord({ ...ROLE, kind: 'session', id, ownerId, name: undefined }));
    }
    const idsOf = async (ownerId?: string) => (await store.listRecords('session', ownerId)).map(({ id }) => id);
    assert.deepEqual([await idsOf(), await idsOf('u1'), await idsOf('u3')], [['a', 'c', 'b'], ['a', 'c'], []]);
    assert.equal(await store.transaction(AUTHOR, (transaction) => transaction.deleteRecordsOf('session', 'u1')), 2);
    assert.deepEqual(await idsOf(), ['b']);
  });

  test('the secrets of a record are shown only to who asks for them, and lie encrypted', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    const document = { issuer: 'i', client_secret: 's3cret', last: 1 };
    await store.transaction(AUTHOR, (transaction) =>
      transaction.putRecord({ ...ROLE, kind: 'login_option', document, secretPointers: ['/client_secret'] }),
    );
    const second = await open();
    assert.deepEqual((await second.getRecord('login_option', 'r1'))?.document, { issuer: 'i', last: 1 });
    assert.deepEqual((await second.getRecord('login_option', 'r1', { secrets: true }))?.document, document);
    assert.ok(!JSON.stringify(await second.listRecords('login_option')).includes('s3cret'));
  });

  test('a moved expiry changes nothing else, and what has expired is removed in steps', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await store.transaction(AUTHOR, async (transaction) => {
      for (const [id, expiresAt] of [
        ['never', 0],
        ['old', 10],
        ['older', 5],
        ['moved', 5],
      ] as const) {
        await transaction.putRecord({ ...ROLE, kind: 'session', id, name: undefined, expiresAt });
      }
      assert.equal(await transaction.moveRecordExpiry('session', 'moved', 100), true);
      assert.equal(await transaction.moveRecordExpiry('session', 'none', 100), false);
    });
    const moved = await store.getRecord('session', 'moved');
    assert.deepEqual([moved?.expiresAt, moved?.version], [100, 1]);
    const remove = (limit: number) => store.transaction(AUTHOR, (transaction) => transaction.deleteExpiredRecords(50, limit));
    assert.deepEqual([await remove(1), await remove(9), await remove(9)], [1, 1, 0]);
    assert.deepEqual((await store.listRecords('session')).map(({ id }) => id).sort(), ['moved', 'never']);
  });

  test('names and documents of records are data, whatever they are called', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    for (const text of ["'; DROP TABLE records; --", '__proto__', 'constructor', 'nul\0byte', ' ']) {
      const document = JSON.parse(`{${JSON.stringify(text)}:1}`);
      await store.transaction(AUTHOR, (transaction) => transaction.putRecord({ ...ROLE, id: text, name: text, document }));
      assert.equal(JSON.stringify((await store.findRecordByName('role', text))?.document), JSON.stringify(document));
    }
    await assert.rejects(store.getRecord('role', '\ud800'), { reason: 'admin_invalid' });
  });
}
