import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeClock } from '../../../../test-support/fake-clock.ts';
import { redisOfEnvironment, until } from '../testing/redis-servers.ts';
import { freshKey, redisSettings, serverCounters } from '../testing/server-settings.ts';
import type { CounterScript } from './counter-scripts.ts';
import { DelayedCounters } from './delayed-counters.ts';
import { PendingLeaves } from './pending-leaves.ts';
import { RedisCounters } from './redis-counters.ts';
import { RedisFailure } from './redis-failure.ts';
import type { ScriptServer } from './script-server.ts';

/** Fixed windows in memory, on a clock that a test owns. */
class FakeServer implements ScriptServer {
  readonly calls: string[] = [];
  isDown = false;
  readonly #clock: FakeClock;
  readonly #windows = new Map<string, { count: number; readonly endMs: number }>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async run(_script: CounterScript, key: string, [limit, windowMs, cost, force]: readonly string[]): Promise<readonly number[]> {
    this.calls.push(`${key} ${cost}`);
    if (this.isDown) throw new RedisFailure('down');
    const nowMs = this.#clock.monotonicMs();
    let window = this.#windows.get(key);
    if (window === undefined || window.endMs <= nowMs) window = { count: 0, endMs: nowMs + Number(windowMs) };
    this.#windows.set(key, window);
    if (force !== '1' && window.count + Number(cost) > Number(limit)) return [0, window.count, window.endMs - nowMs];
    window.count += Number(cost);
    return [1, window.count, window.endMs - nowMs];
  }

  close(): void {}
}

const INTERVAL_MS = 100;

/** Two workers, of instances of their own unless said, that tell one server every 100 ms. */
function twoWorkers(workers = 1) {
  const clock = new FakeClock();
  const server = new FakeServer(clock);
  const create = () => {
    const direct = new RedisCounters({ server, leaves: new PendingLeaves(server, clock), nameEntry: () => 'entry' });
    return new DelayedCounters({ server, direct, syncIntervalMs: INTERVAL_MS, workers, clock });
  };
  const pass = async (durationMs: number): Promise<void> => {
    clock.advance(durationMs);
    // Whatever a timer began is done when the promises behind it have been.
    for (let turn = 0; turn < 5; turn++) await nextTurn();
  };
  return { clock, server, create, one: create(), two: create(), pass };
}

test('between two syncs nobody asks the server, and then once for each key', async () => {
  const { server, one, pass } = twoWorkers();
  for (let request = 0; request < 5; request++) {
    const decision = await one.fixedWindow('a', 10, 5000);
    assert.deepEqual(decision, { kind: 'allowed', remaining: 9 - request, resetMs: 5000 });
  }
  await one.fixedWindow('b', 10, 5000);
  const names = ['plugin-limit-count:v1:a', 'plugin-limit-count:v1:b'] as const;
  assert.deepEqual(server.calls, [`${names[0]} 0`, `${names[1]} 0`]);
  await pass(INTERVAL_MS);
  assert.deepEqual(server.calls.slice(2), [`${names[0]} 5`, `${names[1]} 1`]);
  await pass(INTERVAL_MS);
  assert.equal(server.calls.length, 4);
});

test('the workers of an instance divide what is left, so that together they let through less than twice as much', async () => {
  const { create, server } = twoWorkers(4);
  const workers = Array.from({ length: 4 }, create);
  let allowed = 0;
  for (let request = 0; request < 400; request++) {
    if ((await workers[request % 4]?.fixedWindow('a', 100, 5000))?.kind === 'allowed') allowed++;
  }
  assert.ok(allowed >= 100 && allowed < 200, `${allowed} of 100`);
  assert.ok(server.calls.length < 60, `${server.calls.length} calls`);
});

test('one busy worker among many gets all that is left, and no more, also for requests that come at once', async () => {
  for (const gap of [true, false]) {
    const { one } = twoWorkers(4);
    const decisions: ReturnType<typeof one.fixedWindow>[] = [];
    for (let request = 0; request < 50; request++) {
      decisions.push(one.fixedWindow('a', 20, 5000));
      if (gap) await decisions.at(-1);
    }
    const kinds = (await Promise.all(decisions)).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === 'allowed').length, 20);
    assert.equal(kinds.filter((kind) => kind === 'rejected').length, 30);
  }
});

test('a worker whose share is used does not wait again and again for a server that is down', async () => {
  const { one, server } = twoWorkers(4);
  await one.fixedWindow('a', 8, 5000);
  server.isDown = true;
  for (let request = 0; request < 7; request++) assert.equal((await one.fixedWindow('a', 8, 5000)).kind, 'allowed');
  assert.equal((await one.fixedWindow('a', 8, 5000)).kind, 'rejected');
  assert.equal(server.calls.length, 2);
});

test('what others let through counts after the next sync', async () => {
  const { one, two, pass } = twoWorkers();
  for (let request = 0; request < 4; request++) assert.equal((await one.fixedWindow('a', 6, 5000)).kind, 'allowed');
  for (let request = 0; request < 4; request++) assert.equal((await two.fixedWindow('a', 6, 5000)).kind, 'allowed');
  await pass(INTERVAL_MS);
  await one.fixedWindow('a', 6, 5000);
  await pass(INTERVAL_MS);
  assert.deepEqual(await two.fixedWindow('a', 6, 5000), { kind: 'rejected', resetMs: 4800 });
  assert.equal((await one.fixedWindow('a', 6, 5000)).kind, 'rejected');
});

test('one worker alone never lets through more than the limit, and begins anew with the window', async () => {
  const { one, pass, server } = twoWorkers();
  for (let window = 0; window < 3; window++) {
    let allowed = 0;
    for (let request = 0; request < 20; request++) {
      if ((await one.fixedWindow('a', 7, 1000)).kind === 'allowed') allowed++;
      await pass(10);
    }
    assert.equal(allowed, 7);
    await pass(800);
  }
  assert.ok(server.calls.length < 20);
});

test('requests that come while a key is asked for the first time wait for that one answer', async () => {
  const { one, server } = twoWorkers();
  const decisions = await Promise.all(Array.from({ length: 10 }, () => one.fixedWindow('a', 4, 1000)));
  assert.equal(decisions.filter(({ kind }) => kind === 'allowed').length, 4);
  assert.equal(server.calls.length, 1);
});

test('while the server is down the numbers of the last sync hold until the window is over, and nothing is lost', async () => {
  const { one, two, server, pass } = twoWorkers();
  await one.fixedWindow('a', 10, 1000);
  server.isDown = true;
  await pass(INTERVAL_MS);
  for (let request = 0; request < 3; request++) assert.equal((await one.fixedWindow('a', 10, 1000)).kind, 'allowed');
  assert.deepEqual(await two.fixedWindow('a', 10, 1000), { kind: 'unavailable', detail: 'down' });
  server.isDown = false;
  await pass(INTERVAL_MS);
  assert.deepEqual(await two.fixedWindow('a', 10, 1000), { kind: 'allowed', remaining: 5, resetMs: 800 });
  server.isDown = true;
  await pass(1000);
  assert.equal((await one.fixedWindow('a', 10, 1000)).kind, 'unavailable');
});

test('windows that are over are forgotten, and so is the timer', async () => {
  const { clock, one, pass } = twoWorkers();
  for (let key = 0; key < 50; key++) await one.fixedWindow(`key ${key}`, 10, 300);
  assert.equal(clock.pendingTasks, 1);
  for (let interval = 0; interval < 4; interval++) await pass(INTERVAL_MS);
  assert.equal(clock.pendingTasks, 0);
});

test('more keys than are delayed are counted at the server', async () => {
  const { one, server } = twoWorkers();
  for (let key = 0; key < 10_000; key++) await one.fixedWindow(`key ${key}`, 10, 60_000);
  const before = server.calls.length;
  for (let request = 0; request < 3; request++) await one.fixedWindow('one more', 2, 60_000);
  assert.deepEqual(server.calls.slice(before), ['plugin-limit-count:v1:one more 1', 'plugin-limit-count:v1:one more 1', 'plugin-limit-count:v1:one more 1']); // biome-ignore format: one line
  assert.equal((await one.fixedWindow('one more', 2, 60_000)).kind, 'rejected');
});

test('what the server does not know yet is told at the end', async () => {
  const { clock, one, two, pass } = twoWorkers();
  for (let request = 0; request < 3; request++) await one.fixedWindow('a', 10, 1000);
  await one.close();
  assert.equal(clock.pendingTasks, 0);
  assert.deepEqual(await two.fixedWindow('a', 10, 1000), { kind: 'allowed', remaining: 6, resetMs: 1000 });
  await pass(INTERVAL_MS);
});

test('on a real server both kinds of windows end at the limit', async (t) => {
  const redis = redisOfEnvironment(t);
  if (redis === undefined) return;
  const { servers } = serverCounters(t);
  const lease = servers.lease(redisSettings(redis), 50);
  for (const count of ['fixedWindow', 'slidingWindow'] as const) {
    const key = freshKey();
    const decisions = await Promise.all(Array.from({ length: 30 }, () => lease.counters[count](key, 12, 3_600_000)));
    assert.equal(decisions.filter(({ kind }) => kind === 'allowed').length, 12);
    const direct = servers.lease(redisSettings(redis)).counters;
    await until(async () => (await direct[count](key, 13, 3_600_000)).kind === 'allowed');
    await until(async () => (await direct[count](key, 13, 3_600_000)).kind === 'rejected');
  }
  await lease.release();
});
