import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { CounterServer } from '../../../plugin-kit/index.ts';
import { canStartServers, type StartedRedis, startRedis, startRedisCluster, until } from '../testing/redis-servers.ts';
import { freshKey, serverCounters } from '../testing/server-settings.ts';
import { clusterSlotOf } from './cluster-map.ts';

type Cluster = Extract<CounterServer, { kind: 'redis-cluster' }>;

function clusterSettings(nodes: readonly string[], settings: Partial<Cluster> = {}): Cluster {
  return {
    kind: 'redis-cluster',
    nodes,
    name: 'counters',
    username: undefined,
    password: undefined,
    timeoutMs: 5000,
    tls: false,
    tlsVerify: false,
    idleTimeoutMs: 60_000,
    ...settings,
  };
}

function nodeOf({ port }: StartedRedis): string {
  return `127.0.0.1:${port}`;
}

async function cluster(t: TestContext) {
  if (!canStartServers(t)) return undefined;
  const masters = await startRedisCluster(t);
  const [first, second, third] = masters;
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are three');
  return { masters, first, second, third };
}

test('slots are those of the specification', () => {
  assert.equal(clusterSlotOf('123456789'), 0x31c3);
  assert.equal(clusterSlotOf('foo'), 12_182);
  assert.equal(clusterSlotOf('{foo}.bar'), 12_182);
  assert.equal(clusterSlotOf('x{foo}{bar}'), 12_182);
  assert.notEqual(clusterSlotOf('{}foo'), clusterSlotOf('{}bar'));
  assert.equal(clusterSlotOf('foo{'), clusterSlotOf('foo{'));
});

test('every kind of counter counts over all nodes of a cluster, exactly', async (t) => {
  const nodes = await cluster(t);
  if (nodes === undefined) return;
  const countersBy = (node: StartedRedis) => serverCounters(t).servers.lease(clusterSettings([nodeOf(node)])).counters;
  const one = countersBy(nodes.first);
  const two = countersBy(nodes.third);
  for (let key = 0; key < 20; key++) {
    const name = freshKey();
    const decisions = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : two).fixedWindow(name, 7, 60_000)),
    );
    assert.equal(decisions.filter(({ kind }) => kind === 'allowed').length, 7);
    assert.equal((await one.slidingWindow(name, 1, 3_600_000)).kind, 'allowed');
    assert.equal((await two.leakyBucket(name, 0.001, 0)).kind, 'allowed');
    assert.equal((await one.leakyBucket(name, 0.001, 0)).kind, 'rejected');
    const entry = await one.enter(name, 1);
    assert.equal((await two.enter(name, 1)).kind, 'rejected');
    if (entry.kind === 'entered') entry.leave();
    await until(async () => (await two.enter(name, 1)).kind === 'entered');
  }
  for (const node of nodes.masters) assert.ok(Number(await node.command(['DBSIZE'])) > 5, 'the keys are spread');
});

test('a slot that has moved, and one that is moving, are followed', async (t) => {
  const nodes = await cluster(t);
  if (nodes === undefined) return;
  const { counters } = serverCounters(t).servers.lease(clusterSettings([nodeOf(nodes.first)]));
  const key = freshKey();
  assert.equal((await counters.fixedWindow(key, 3, 600_000)).kind, 'allowed');
  const name = `plugin-limit-count:v1:${key}`;
  const slot = String(clusterSlotOf(name));
  const idOf = async (node: StartedRedis): Promise<string> => String(await node.command(['CLUSTER', 'MYID']));
  const owned = await Promise.all(nodes.masters.map(async (node) => Number(await node.command(['CLUSTER', 'COUNTKEYSINSLOT', slot]))));
  const from = nodes.masters[owned.indexOf(1)];
  const to = nodes.masters[(owned.indexOf(1) + 1) % 3];
  assert.ok(from && to);
  await to.command(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', await idOf(from)]);
  await from.command(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', await idOf(to)]);
  await from.command(['MIGRATE', '127.0.0.1', String(to.port), name, '0', '5000']);
  assert.equal((await counters.fixedWindow(key, 3, 600_000)).kind, 'allowed');
  for (const node of [to, from]) await node.command(['CLUSTER', 'SETSLOT', slot, 'NODE', await idOf(to)]);
  assert.equal((await counters.fixedWindow(key, 3, 600_000)).kind, 'allowed');
  assert.equal((await counters.fixedWindow(key, 3, 600_000)).kind, 'rejected');
});

test('a node that is down takes only its own keys along', async (t) => {
  const nodes = await cluster(t);
  if (nodes === undefined) return;
  for (const node of nodes.masters) await node.command(['CONFIG', 'SET', 'cluster-require-full-coverage', 'no']);
  const { counters } = serverCounters(t).servers.lease(clusterSettings([nodeOf(nodes.first), nodeOf(nodes.second)]));
  // The nodes have a third of the slots each, in order.
  const keyOf = (index: number): string => {
    for (;;) {
      const key = freshKey();
      if (Math.floor(clusterSlotOf(`plugin-limit-count:v1:${key}`) / Math.ceil(16_384 / 3)) === index) return key;
    }
  };
  for (const index of [0, 1, 2]) await until(async () => (await counters.fixedWindow(keyOf(index), 1, 1000)).kind === 'allowed');
  await nodes.third.stop();
  for (let request = 0; request < 20; request++) {
    assert.equal((await counters.fixedWindow(keyOf(request % 2), 1, 1000)).kind, 'allowed');
    assert.equal((await counters.fixedWindow(keyOf(2), 1, 1000)).kind, 'unavailable');
  }
});

test('a cluster that cannot be reached, and a server that is none, make counters unavailable', async (t) => {
  if (!canStartServers(t)) return;
  const single = await startRedis(t);
  const { servers } = serverCounters(t);
  const detailOf = async (nodes: readonly string[]) => {
    const decision = await servers.lease(clusterSettings(nodes)).counters.fixedWindow(freshKey(), 1, 1000);
    return decision.kind === 'unavailable' ? decision.detail : decision.kind;
  };
  assert.equal(await detailOf([nodeOf(single)]), 'the server answered ERR');
  assert.equal(await detailOf(['127.0.0.1:1', '127.0.0.1:2']), 'no connection to 127.0.0.1:1: ECONNREFUSED');
});
