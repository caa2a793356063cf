import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { Store, StoredResource, StoreHistory } from '../../store/index.ts';
import { makeAdminFixture } from '../testing/admin-fixture.ts';
import { LongLists } from './long-lists.ts';

const AUTHOR = { id: 'test', name: 'test' };
const LIST = '/apisix/admin/consumers?gateway_group_id=default';

test('a long list is whole, in order, valid JSON, and read in small steps', async (t) => {
  const steps: number[] = [];
  const admin = await makeAdminFixture(t, { wrapStore: (store) => noting(store, (resources) => steps.push(resources.length)) });
  await fill(admin.store, 1_050);
  const { body, headers } = await admin.send('GET', LIST);
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual([body.total, body.list.length, body.list[0].username, body.list[1_049].username], [1_050, 1_050, 'u1049', 'u0']);
  assert.equal(new Set(body.list.map((each: { username: string }) => each.username)).size, 1_050);
  assert.equal(Math.max(...steps), 100);
  const part = await admin.send('GET', `${LIST}&page_size=300&order_by=name&direction=asc`);
  assert.deepEqual([part.body.total, part.body.list.length, typeof part.body.next], [1_050, 300, 'string']);
  const head = await admin.send('HEAD', LIST);
  assert.deepEqual([head.status, head.text, head.headers['content-type']], [200, '', 'application/json']);
});

test('what is deleted while a long list is read is missing, what is updated comes once, and the total is what was sent', async (t) => {
  let reads = 0;
  const admin = await makeAdminFixture(t, {
    wrapStore: (store) =>
      noting(store, async () => {
        reads += 1;
        if (reads !== 1) return;
        await store.transaction(AUTHOR, async (transaction) => {
          await transaction.deleteResource(keyOf('u3'));
          await transaction.putResource(consumerOf('u5', 'new'));
          await transaction.putResource(consumerOf('later', 'new'));
        });
      }),
  });
  await fill(admin.store, 250);
  const { body } = await admin.send('GET', LIST);
  const names: readonly string[] = body.list.map((each: { username: string }) => each.username);
  assert.deepEqual([names.length, body.total, new Set(names).size], [249, 249, 249]);
  assert.ok(!names.includes('u3') && !names.includes('later'));
  assert.equal(body.list.find((each: { username: string }) => each.username === 'u5').desc, 'new');
});

test('when the store fails in the middle of a long list the answer is cut, not ended as if it were whole', async (t) => {
  let reads = 0;
  const admin = await makeAdminFixture(t, {
    wrapStore: (store) =>
      noting(store, () => {
        reads += 1;
        if (reads === 2) throw new Error('for the test');
      }),
  });
  await fill(admin.store, 250);
  await assert.rejects(admin.send('GET', LIST));
  assert.match(JSON.stringify(admin.log), /an answer of the Admin API broke off/);
  assert.equal((await admin.send('GET', `${LIST}&page=1`)).body.total, 250);
});

test('only so many long lists are under way at once, and each frees its place when it ends, is dropped or fails', async () => {
  const lists = new LongLists(new FakeClock());
  const started: AsyncIterator<string>[] = [];
  const start = async () => {
    const parts = lists.bounded(endless())[Symbol.asyncIterator]();
    await parts.next();
    started.push(parts);
  };
  for (let count = 0; count < 16; count += 1) await start();
  assert.throws(() => lists.bounded(endless()), { reason: 'admin_busy' });
  await started[0]?.return?.();
  await start();
  assert.throws(() => lists.bounded(endless()), { reason: 'admin_busy' });
  // One that was never read holds no place.
  await started[1]?.return?.();
  lists.bounded(endless());
  await start();
});

test('a long list that is read too slowly ends', async () => {
  const clock = new FakeClock();
  const parts = new LongLists(clock).bounded(endless())[Symbol.asyncIterator]();
  await parts.next();
  clock.advance(300_001);
  await assert.rejects(Promise.resolve(parts.next()), { reason: 'client_write_timeout' });
});

async function* endless(): AsyncGenerator<string> {
  for (;;) yield 'x';
}

/** A store that tells of each step of a long list. */
function noting(store: Store & StoreHistory, onRead: (resources: readonly StoredResource[]) => unknown): Store & StoreHistory {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...values: readonly unknown[]) => {
        const result: unknown = await Reflect.apply(value, target, values);
        if (name === 'resourcesAt' && Array.isArray(result)) await onRead(result);
        return result;
      };
    },
  });
}

async function fill(store: Store, count: number): Promise<void> {
  await store.transaction(AUTHOR, async (transaction) => {
    for (let number = 0; number < count; number += 1) await transaction.putResource(consumerOf(`u${number}`, 'old'));
  });
}

function keyOf(id: string) {
  return { groupId: 'default', kind: 'consumer', parentId: '', id };
}

function consumerOf(id: string, desc: string) {
  return { key: keyOf(id), document: { username: id, desc }, secretPointers: [], unique: [], owner: undefined };
}
