import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { PortcullisError } from '../../errors/index.ts';
import type { Store, StoreHistory } from '../../store/index.ts';
import { type AdminFixture, makeAdminFixture } from '../testing/admin-fixture.ts';
import { authenticatorOf } from '../testing/caller-of-token.ts';
import { AnswerMemory } from './answer-memory.ts';

const SHOWN = { token: 'token', authorization: undefined, cookie: undefined };
const CONSUMER = '/apisix/admin/consumers/jack';
const JILL = '/apisix/admin/consumers/jill';
const LABELS = '/api/labels/consumer?gateway_group_id=default';
const ALL = '/apisix/admin/consumers';

/** The Admin API on a store that can be away. */
async function fixture(t: Parameters<typeof makeAdminFixture>[0]) {
  const state = { isAway: false };
  const wrapStore = (store: Store & StoreHistory): Store & StoreHistory =>
    new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...values: unknown[]) => {
          if (state.isAway) throw new PortcullisError('store_unavailable');
          return Reflect.apply(member, target, values);
        };
      },
    });
  const admin = await makeAdminFixture(t, { wrapStore });
  const statuses = async (...paths: string[]) => {
    const answers: number[] = [];
    for (const path of paths) answers.push((await admin.send('GET', path)).status);
    return answers;
  };
  return { admin, state, statuses };
}

async function putConsumer(admin: AdminFixture, name = 'jack'): Promise<void> {
  assert.equal((await admin.send('PUT', `/apisix/admin/consumers/${name}`, { body: { username: name } })).status, 200);
}

async function callerOfAnybody() {
  const caller = await authenticatorOf('token').authenticate({ ...SHOWN, address: '127.0.0.1' });
  assert.ok(caller !== undefined);
  return caller;
}

test('a read is answered from memory for five minutes while the store is away, and says how old the answer is', async (t) => {
  const { admin, state } = await fixture(t);
  await putConsumer(admin);
  const list = await admin.send('GET', ALL);
  await admin.send('GET', CONSUMER);
  state.isAway = true;
  admin.clock.advance(299_000);
  const recalled = await admin.send('GET', ALL);
  assert.deepEqual([recalled.status, recalled.text, recalled.headers['portcullis-stale']], [200, list.text, '299']);
  assert.equal(recalled.headers['cache-control'], 'no-store');
  admin.clock.advance(1_000);
  assert.equal((await admin.send('GET', CONSUMER)).status, 503);
  state.isAway = false;
  assert.equal((await admin.send('GET', CONSUMER)).headers['portcullis-stale'], undefined);
});

test('nobody is told what another was told, and nothing is told of people', async (t) => {
  const { admin, state, statuses } = await fixture(t);
  await putConsumer(admin);
  assert.deepEqual(await statuses(CONSUMER, '/api/users'), [200, 200]);
  state.isAway = true;
  assert.equal((await admin.send('GET', CONSUMER, { token: 'other' })).status, 503);
  const basic = { authorization: `Basic ${Buffer.from('admin:password').toString('base64')}` };
  assert.equal((await admin.send('GET', CONSUMER, { token: undefined, headers: basic })).status, 503);
  assert.equal((await admin.send('GET', CONSUMER, { token: undefined })).status, 401);
  assert.equal((await admin.send('HEAD', CONSUMER)).status, 503);
  assert.deepEqual(await statuses('/api/users'), [503]);
});

test('what this control plane wrote since is not contradicted, and what it left alone is still told', async (t) => {
  const { admin, state, statuses } = await fixture(t);
  await putConsumer(admin);
  await putConsumer(admin, 'jill');
  assert.deepEqual(await statuses(CONSUMER, JILL, ALL, LABELS), [200, 200, 200, 200]);
  await putConsumer(admin);
  state.isAway = true;
  assert.deepEqual(await statuses(CONSUMER, JILL, ALL, LABELS), [503, 200, 503, 503]);
  state.isAway = false;
  assert.deepEqual(await statuses(CONSUMER), [200]);
  assert.equal((await admin.send('DELETE', JILL)).status, 200);
  state.isAway = true;
  assert.deepEqual(await statuses(CONSUMER), [503]);
});

test('a token that was revoked here reads nothing more', async (t) => {
  const { admin, state } = await fixture(t);
  await putConsumer(admin);
  const created = await admin.send('POST', '/api/tokens', { body: { name: 'ci', expires_at: 0 } });
  const { token, id } = created.body.value;
  const read = async () => (await admin.send('GET', CONSUMER, { token })).status;
  assert.equal(await read(), 200);
  state.isAway = true;
  assert.equal(await read(), 200);
  state.isAway = false;
  assert.equal((await admin.send('DELETE', `/api/tokens/${id}`)).status, 200);
  state.isAway = true;
  assert.equal(await read(), 503);
});

test('what a caller shows expires in memory too, and what is refused is forgotten', async () => {
  const clock = new FakeClock();
  const memory = new AnswerMemory(clock, clock);
  const caller = await callerOfAnybody();
  const expiresAt = Math.floor(clock.nowMs() / 1000) + 10;
  memory.remember(SHOWN, '/a', { caller: { ...caller, expiresAt }, headers: {}, text: '{}' }, memory.mark);
  assert.equal(memory.find(SHOWN, '/a')?.ageSeconds, 0);
  clock.advance(10_000);
  assert.equal(memory.find(SHOWN, '/a'), undefined);
  for (const url of ['/a', '/b']) memory.remember(SHOWN, url, { caller, headers: {}, text: '{}' }, memory.mark);
  memory.forget(SHOWN, '/a');
  assert.deepEqual([memory.find(SHOWN, '/a'), memory.find(SHOWN, '/b')?.ageSeconds], [undefined, 0]);
  memory.forgetCaller(SHOWN);
  assert.equal(memory.find(SHOWN, '/b'), undefined);
});

test('an answer that was made while something was written is not remembered', async () => {
  const clock = new FakeClock();
  const memory = new AnswerMemory(clock, clock);
  const { mark } = memory;
  memory.forgetWritten('DELETE', '/api/tokens/1');
  memory.remember(SHOWN, '/a', { caller: await callerOfAnybody(), headers: {}, text: '{}' }, mark);
  assert.equal(memory.find(SHOWN, '/a'), undefined);
});

test('memory is bounded: the oldest answers go, and a large one is not kept', async () => {
  const clock = new FakeClock();
  const memory = new AnswerMemory(clock, clock);
  const caller = await callerOfAnybody();
  const keep = (url: string, characters: number) =>
    memory.remember(SHOWN, url, { caller, headers: {}, text: 'x'.repeat(characters) }, memory.mark);
  keep('/large', 1_048_577);
  assert.equal(memory.find(SHOWN, '/large'), undefined);
  for (let number = 0; number < 17; number += 1) keep(`/${number}`, 1_048_576);
  assert.deepEqual([memory.find(SHOWN, '/0'), memory.find(SHOWN, '/16')?.ageSeconds], [undefined, 0]);
});
