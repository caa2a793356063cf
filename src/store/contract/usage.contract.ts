import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_USAGE_REQUESTS, type UsageQuery, type UsageRow } from '../usage.ts';
import { type MakeDatabase, makeTestBed } from './fresh-database.ts';
import { consumerWrite, credentialWrite, keyOf, putAll, remove, routeWrite, serviceWrite } from './sample-writes.ts';

const DAY = 86_400;
/** Midnight of some day, shortly before the clock of a test bed. */
const MIDNIGHT = 1_800_000_000 - (1_800_000_000 % DAY);
const ROW: UsageRow = {
  groupId: 'default',
  consumer: 'jack',
  credential: 'c1',
  route: 'r',
  status: 200,
  at: MIDNIGHT + 30,
  requests: 1,
  lastUsedAt: MIDNIGHT + 40,
  instanceId: 'one',
};
const QUERY: UsageQuery = {
  groupId: 'default',
  span: 'hour',
  from: MIDNIGHT,
  until: MIDNIGHT + DAY,
  equals: {},
  splitBy: [],
  limit: 100,
};
const SEED = [serviceWrite('s'), routeWrite('r', 's'), consumerWrite('jack'), credentialWrite('jack', 'c1', 'k1')];

/** Who used what. */
export function usageContract(makeDatabase: MakeDatabase): void {
  test('several stores add up what they are told, by hour and by day, whatever was there', async (context) => {
    const { store, open } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...SEED);
    const other = await open();
    const { revision = 0 } = (await store.getGroup('default')) ?? {};
    const rows = [ROW, { ...ROW, at: MIDNIGHT + 3599, requests: 2 }, { ...ROW, at: MIDNIGHT + 3600, requests: 4, status: 404 }];
    await Promise.all([store.usage.record(rows), other.usage.record(rows), store.usage.record([])]);
    assert.deepEqual(await store.usage.find(QUERY), [
      { startsAt: MIDNIGHT, requests: 6, of: {} },
      { startsAt: MIDNIGHT + 3600, requests: 8, of: {} },
    ]);
    assert.deepEqual(await store.usage.find({ ...QUERY, span: 'day', splitBy: ['status', 'service'] }), [
      { startsAt: MIDNIGHT, requests: 6, of: { service: 's', status: 200 } },
      { startsAt: MIDNIGHT, requests: 8, of: { service: 's', status: 404 } },
    ]);
    assert.equal((await store.getGroup('default'))?.revision, revision);
    assert.equal(await store.usage.countRows('default', MIDNIGHT, 100), 1);
    assert.equal(await store.usage.countRows('default', MIDNIGHT, 0), 0);
  });

  test('a count that no number could hold stands still, and keeps no other from being added', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...SEED);
    const boundless = { ...ROW, requests: 2 ** 62 };
    await store.usage.record([boundless, boundless]);
    await store.usage.record([boundless, { ...ROW, status: 404 }]);
    const found = await store.usage.find({ ...QUERY, splitBy: ['status'] });
    assert.deepEqual(
      found.map(({ of, requests }) => [of.status, requests]),
      [
        [200, MAX_USAGE_REQUESTS],
        [404, 1],
      ],
    );
  });

  test('a query gives what all of its conditions meet, and no more than it asks for', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...SEED);
    await store.usage.record([ROW, { ...ROW, consumer: '', credential: '', requests: 5 }, { ...ROW, credential: '', requests: 7 }]);
    const requests = async (query: Partial<UsageQuery>): Promise<readonly number[]> =>
      (await store.usage.find({ ...QUERY, ...query })).map((sum) => sum.requests);
    assert.deepEqual(await requests({ equals: { consumer: 'jack' } }), [8]);
    assert.deepEqual(await requests({ equals: { consumer: 'jack', credential: 'c1' } }), [1]);
    assert.deepEqual(await requests({ equals: { route: 'r', service: 's' } }), [13]);
    assert.deepEqual(await requests({ equals: { service: 'none' } }), []);
    assert.deepEqual(await requests({ from: MIDNIGHT + 1 }), []);
    assert.deepEqual(await requests({ until: MIDNIGHT }), []);
    assert.deepEqual(await requests({ groupId: 'other' }), []);
    assert.deepEqual(await requests({ splitBy: ['credential', 'consumer'], limit: 2 }), [5, 7]);
  });

  test('what a group has never had is left out; what was deleted is not', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...SEED);
    await remove(store, keyOf('consumer', 'jack'));
    await remove(store, keyOf('service', 's'));
    await store.usage.record([
      ROW,
      { ...ROW, credential: '', requests: 2 },
      { ...ROW, consumer: '*', credential: '*', route: '*', requests: 4 },
      { ...ROW, consumer: '', credential: '', route: '', requests: 8 },
      { ...ROW, credential: 'c2', requests: 100 },
      { ...ROW, consumer: 'eve', requests: 100 },
      { ...ROW, consumer: '', requests: 100 },
      { ...ROW, route: 'r2', requests: 100 },
      { ...ROW, groupId: 'other', requests: 100 },
      { ...ROW, groupId: 'other', consumer: '*', credential: '*', route: '*', requests: 100 },
    ]);
    assert.deepEqual(await store.usage.find(QUERY), [{ startsAt: MIDNIGHT, requests: 15, of: {} }]);
    assert.deepEqual(await store.usage.lastUse('default', 'jack'), { at: MIDNIGHT + 40, instanceId: 'one' });
    assert.equal(await store.usage.lastUse('default', 'jack', 'c2'), undefined);
    assert.equal(await store.usage.lastUse('other', 'jack'), undefined);
  });

  test('the last use is the latest that anybody told', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...SEED, credentialWrite('jack', 'c2', 'k2'));
    await store.usage.record([ROW, { ...ROW, status: 500, lastUsedAt: MIDNIGHT + 50, instanceId: 'two' }]);
    await store.usage.record([
      { ...ROW, lastUsedAt: MIDNIGHT + 45 },
      { ...ROW, credential: 'c2', lastUsedAt: MIDNIGHT + 60 },
    ]);
    assert.deepEqual(await store.usage.lastUse('default', 'jack', 'c1'), { at: MIDNIGHT + 50, instanceId: 'two' });
    assert.deepEqual(await store.usage.lastUse('default', 'jack'), { at: MIDNIGHT + 60, instanceId: 'one' });
  });

  test('credentials without use are found page by page; a use from before a credential was created is not its own', async (context) => {
    const { store, clock } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...SEED, consumerWrite('ann'), credentialWrite('ann', 'c', 'k3'), credentialWrite('jack', 'c2', 'k4'));
    clock.advance(10_000_000);
    await putAll(store, credentialWrite('jack', 'c3', 'k5'));
    const [created, later] = [1_800_000_000, 1_800_010_000];
    await store.usage.record([
      { ...ROW, lastUsedAt: later },
      { ...ROW, credential: 'c2', lastUsedAt: created + 5 },
      { ...ROW, consumer: 'ann', credential: 'c', lastUsedAt: created - 5 },
    ]);
    const ann = { consumer: 'ann', credential: 'c', createdAt: created, lastUsedAt: undefined };
    const second = { consumer: 'jack', credential: 'c2', createdAt: created, lastUsedAt: created + 5 };
    const first = await store.usage.unusedCredentials('default', later, undefined, 2);
    assert.deepEqual(first, { unused: [ann], next: { consumer: 'jack', credential: 'c1' } });
    assert.deepEqual(await store.usage.unusedCredentials('default', later, first.next, 100), { unused: [second], next: undefined });
    assert.deepEqual((await store.usage.unusedCredentials('default', created, undefined, 100)).unused, []);
  });

  test('what is too old goes, a part at a time; last uses go when their credential is gone, too', async (context) => {
    const { store } = await makeTestBed(context, makeDatabase);
    await putAll(store, ...SEED, credentialWrite('jack', 'c2', 'k2'));
    await store.usage.record([ROW, { ...ROW, credential: 'c2', at: MIDNIGHT + DAY }]);
    await remove(store, keyOf('credential', 'c2', 'jack'));
    const days = async (): Promise<readonly number[]> =>
      (await store.usage.find({ ...QUERY, span: 'day', until: MIDNIGHT + 9 * DAY })).map(({ startsAt }) => startsAt);
    assert.equal(await store.usage.prune({ hours: MIDNIGHT, days: MIDNIGHT }, 10), 0);
    assert.equal(await store.usage.prune({ hours: MIDNIGHT + 9 * DAY, days: MIDNIGHT }, 1), 1);
    assert.equal(await store.usage.prune({ hours: MIDNIGHT + 9 * DAY, days: MIDNIGHT + DAY }, 10), 3);
    assert.deepEqual(await store.usage.find({ ...QUERY, until: MIDNIGHT + 9 * DAY }), []);
    assert.deepEqual(await days(), [MIDNIGHT + DAY]);
    assert.equal(await store.usage.lastUse('default', 'jack', 'c2'), undefined);
    assert.notEqual(await store.usage.lastUse('default', 'jack', 'c1'), undefined);
  });
}
