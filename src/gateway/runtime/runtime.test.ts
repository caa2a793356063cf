import assert from 'node:assert/strict';
import test from 'node:test';
import { CountedTargets, createTestRuntime, putInForce, routeAt, routeChange, serviceChange, testPlugin } from '../testing/test-runtime.ts';
import { AddressBook } from './address-book.ts';
import { readUpstreamSettings } from './read-settings.ts';
import type { Runtime } from './runtime.ts';

function routeOf(runtime: Runtime, path: string, host = 'test'): string | undefined {
  return routeAt(runtime, path, host)?.id;
}

test('nothing of a change is in force before it is committed, and all of it afterwards', async () => {
  const runtime = createTestRuntime();
  const prepared = await runtime.prepare([serviceChange(), routeChange('a', ['/a']), routeChange('b', ['/b'])]);
  assert.equal(routeOf(runtime, '/a'), undefined);
  runtime.commit(prepared);
  assert.equal(routeOf(runtime, '/a'), 'a');
  assert.equal(routeOf(runtime, '/b'), 'b');
});

test('a change with one part that cannot be served throws and leaves what is in force, with nothing created for it left', async () => {
  let living = 0;
  const counted = testPlugin('counted', 1, {}, { created: () => living++, disposed: () => living-- });
  const runtime = createTestRuntime([counted]);
  await putInForce(runtime, [serviceChange(), routeChange('a', ['/a'], { plugins: { counted: {} } })]);
  assert.equal(living, 1);
  const changes = [
    routeChange('a', ['/moved'], { plugins: { counted: {} } }),
    routeChange('b', ['/b'], { plugins: { counted: {}, unknown: {} } }),
  ];
  await assert.rejects(runtime.prepare(changes), { name: 'CompileError', message: 'route b: plugin unknown is unknown to this version' });
  await assert.rejects(runtime.prepare([routeChange('c', ['/c'], { plugins: { counted: { valid: 'no' } } })]), /route c: plugin counted/);
  assert.equal(living, 1);
  assert.equal(routeOf(runtime, '/a'), 'a');
  assert.equal(routeOf(runtime, '/moved'), undefined);
});

test('an abandoned change leaves nothing behind', async () => {
  let living = 0;
  const counted = testPlugin('counted', 1, {}, { created: () => living++, disposed: () => living-- });
  const runtime = createTestRuntime([counted]);
  const prepared = await runtime.prepare([serviceChange(), routeChange('a', ['/a'], { plugins: { counted: {} } })]);
  assert.equal(living, 1);
  runtime.abandon(prepared);
  assert.equal(living, 0);
  assert.equal(routeOf(runtime, '/a'), undefined);
});

test('a change holds its nodes as soon as it is compiled, and lets go of them when it cannot be served or is abandoned', async () => {
  const targets = new CountedTargets();
  const runtime = createTestRuntime([], { targets });
  const served = serviceChange();
  await putInForce(runtime, [served]);
  const before = new Map(targets.held);
  assert.ok(before.size > 0);
  const changes = [served, { ...served, id: 'other' }];
  const prepared = await runtime.prepare(changes);
  assert.deepEqual(
    [...targets.held.values()],
    [...before.values()].map((count) => count * 3),
  );
  runtime.abandon(prepared);
  assert.deepEqual(targets.held, before);
  await assert.rejects(runtime.prepare([...changes, routeChange('a', ['/a'], { plugins: { unknown: {} } })]));
  assert.deepEqual(targets.held, before);
  runtime.commit(await runtime.prepare([served]));
  assert.deepEqual(targets.held, before);
});

test('very many services that are replaced let go of their nodes bit by bit, and none twice', async () => {
  const targets = new CountedTargets();
  let nowMs = 0;
  const waiting: (() => void)[] = [];
  let isSlow = false;
  const yieldTurn = (): Promise<void> => (isSlow ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve());
  const runtime = createTestRuntime([], { targets, monotonicMs: () => nowMs++, yieldTurn });
  const many = Array.from({ length: 300 }, (_, index) => ({ ...serviceChange(), id: `s${index}` }));
  const held = (): number => [...targets.held.values()].reduce((sum, count) => sum + count, 0);
  await putInForce(runtime, many);
  const once = held();
  const prepared = await runtime.prepare(many);
  isSlow = true;
  runtime.commit(prepared);
  assert.ok(held() > 1.5 * once, `${held()} are held after the commit itself`);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (await turn(); waiting.length > 0; await turn()) waiting.shift()?.();
  assert.equal(held(), once);
});

test('the state of a replaced route lives until its last request has ended', async () => {
  let disposed = 0;
  const plugin = testPlugin('p', 1, {}, { disposed: () => disposed++ });
  const runtime = createTestRuntime([plugin]);
  await putInForce(runtime, [serviceChange(), routeChange('a', ['/a'], { plugins: { p: {} } })]);
  const old = routeAt(runtime, '/a');
  old?.enter();
  old?.enter();
  await putInForce(runtime, [{ op: 'delete-route', id: 'a' }]);
  assert.equal(disposed, 0);
  old?.leave();
  assert.equal(disposed, 0);
  old?.leave();
  assert.equal(disposed, 1);
});

test('a change of a service reaches its routes and no others', async () => {
  let created = 0;
  const plugin = testPlugin('p', 1, {}, { created: () => created++ });
  const runtime = createTestRuntime([plugin]);
  const other = { ...serviceChange(), id: 't' };
  const otherRoute = routeChange('o', ['/o'], { service_id: 't', plugins: { p: {} } });
  await putInForce(runtime, [serviceChange(), routeChange('a', ['/a'], { plugins: { p: {} } }), other, otherRoute]);
  created = 0;
  await putInForce(runtime, [serviceChange({ path_prefix: '/v1', hosts: ['API.test'] })]);
  assert.equal(created, 1);
  assert.equal(routeOf(runtime, '/v1/a', 'api.test'), 'a');
  assert.equal(routeOf(runtime, '/v1/a'), undefined);
  assert.equal(routeOf(runtime, '/a', 'api.test'), undefined);
  assert.equal(routeOf(runtime, '/o'), 'o');
});

test('a route is served only while it and its service exist and are switched on', async () => {
  const runtime = createTestRuntime();
  await putInForce(runtime, [routeChange('a', ['/a'])]);
  assert.equal(routeOf(runtime, '/a'), undefined);
  await putInForce(runtime, [serviceChange()]);
  assert.equal(routeOf(runtime, '/a'), 'a');
  await putInForce(runtime, [serviceChange({ status: 0 })]);
  assert.equal(routeOf(runtime, '/a'), undefined);
  await putInForce(runtime, [serviceChange({ status: 1 }), routeChange('a', ['/a'], { status: 0 })]);
  assert.equal(routeOf(runtime, '/a'), undefined);
  await putInForce(runtime, [routeChange('a', ['/a'])]);
  await putInForce(runtime, [{ op: 'delete-service', id: 's' }]);
  assert.equal(routeOf(runtime, '/a'), undefined);
});

test('a large change builds its routing table aside and is as good as a small one', async () => {
  const runtime = createTestRuntime();
  await putInForce(runtime, [serviceChange(), routeChange('kept', ['/kept']), routeChange('gone', ['/gone'])]);
  const many = Array.from({ length: 400 }, (_, index) => routeChange(`r${index}`, [`/r/${index}`]));
  await putInForce(runtime, [...many, { op: 'delete-route', id: 'gone' }]);
  assert.equal(routeOf(runtime, '/r/399'), 'r399');
  assert.equal(routeOf(runtime, '/kept'), 'kept');
  assert.equal(routeOf(runtime, '/gone'), undefined);
});

test('plugins of very many replaced routes are let go bit by bit, each once, and all at once when the runtime closes', async () => {
  let living = 0;
  let nowMs = 0;
  const counted = testPlugin('counted', 1, {}, { created: () => living++, disposed: () => living-- });
  const waiting: (() => void)[] = [];
  let isSlow = false;
  const yieldTurn = (): Promise<void> => (isSlow ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve());
  const runtime = createTestRuntime([counted], { monotonicMs: () => nowMs++, yieldTurn });
  const many = (tag: string) =>
    Array.from({ length: 300 }, (_, index) => routeChange(`r${index}`, [`/${tag}/${index}`], { plugins: { counted: {} } }));
  await putInForce(runtime, [serviceChange(), ...many('one')]);
  const prepared = await runtime.prepare(many('two'));
  const held = routeAt(runtime, '/one/0');
  held?.enter();
  isSlow = true;
  runtime.commit(prepared);
  assert.equal(routeAt(runtime, '/two/299')?.id, 'r299');
  assert.ok(living > 500, `${living} are left after the commit itself`);
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (await turn(); waiting.length > 0; await turn()) waiting.shift()?.();
  assert.equal(living, 301);
  held?.leave();
  assert.equal(living, 300);
  isSlow = false;
  const last = await runtime.prepare(many('three'));
  isSlow = true;
  runtime.commit(last);
  assert.ok(living > 500);
  runtime.close();
  assert.equal(living, 0);
  waiting.shift()?.();
  await turn();
  assert.equal(living, 0);
});

test('long preparations give way to requests', async () => {
  let nowMs = 0;
  let turns = 0;
  const yieldTurn = async (): Promise<void> => {
    turns++;
  };
  const runtime = createTestRuntime([], { monotonicMs: () => nowMs++, yieldTurn });
  await runtime.prepare(Array.from({ length: 100 }, (_, index) => routeChange(`r${index}`, [`/r/${index}`])));
  assert.ok(turns > 10, `${turns} turns`);
});

test('upstreams of one service are taken one by one, with room for requests between them', async () => {
  let nowMs = 0;
  const targets = new CountedTargets();
  const held: number[] = [];
  const yieldTurn = async (): Promise<void> => {
    held.push(targets.held.size);
  };
  const runtime = createTestRuntime([], { targets, monotonicMs: () => nowMs++, yieldTurn });
  const nodeOf = (port: number) => ({ nodes: [{ host: '10.1.1.1', port, weight: 1 }] });
  const puts = Array.from({ length: 100 }, (_, index) => {
    return { op: 'put-upstream', id: `u${index}`, serviceId: 's', settings: readUpstreamSettings('u', nodeOf(1000 + index)) } as const;
  });
  await runtime.prepare([serviceChange(), ...puts]);
  const steps = held.map((size, index) => size - (held[index - 1] ?? 0));
  assert.equal(targets.held.size, 101);
  assert.ok(Math.max(...steps) < 10, String(steps));
});

test('plugins run by priority, all rewrites before any access, the route in place of the service', async () => {
  const calls: string[] = [];
  const say = (name: string) => () => {
    calls.push(name);
    return undefined;
  };
  const plugins = [
    testPlugin('low', 1, { rewrite: say('low rewrite'), access: say('low access') }),
    testPlugin('high', 9, { rewrite: say('high rewrite'), access: say('high access') }),
    testPlugin('off', 5, { rewrite: say('off') }),
    testPlugin('raised', 2, { rewrite: say('raised rewrite') }),
  ];
  const runtime = createTestRuntime(plugins);
  await putInForce(runtime, [
    serviceChange({ plugins: { low: {}, off: {}, raised: {} } }),
    routeChange('a', ['/a'], { plugins: { high: {}, off: { _meta: { disable: true } }, raised: { _meta: { priority: 100 } } } }),
  ]);
  const chain = routeAt(runtime, '/a')?.chain;
  const steps = [...(chain?.rewrite ?? []), ...(chain?.access ?? [])];
  assert.deepEqual(
    steps.map((step) => `${step.plugin} ${step.phase}`),
    ['raised rewrite', 'high rewrite', 'low rewrite', 'high access', 'low access'],
  );
  assert.deepEqual(
    steps.map((step) => step.number),
    [4, 2, 1, 2, 1],
  );
});

test('names are followed while their service is in force, and share the weight of their node', async () => {
  const addresses = new AddressBook();
  const targets = new CountedTargets();
  const runtime = createTestRuntime([], { addresses, targets, mayDial: (address) => address !== '169.254.169.254' });
  const nodes = [{ host: 'api.internal', port: 8080, weight: 4 }];
  await putInForce(runtime, [serviceChange({ upstream: { nodes } }), routeChange('a', ['/a'])]);
  const upstream = routeAt(runtime, '/a')?.upstream;
  assert.equal(upstream?.choice.emptyReason, 'dns');
  addresses.update('api.internal', ['10.0.0.1', '10.0.0.2']);
  assert.equal(upstream?.choice.emptyReason, undefined);
  assert.deepEqual(
    upstream?.choice.balancer.nodes.map((node) => [node.target.address, node.weight, node.hostValue.toString()]),
    [
      ['10.0.0.1', 2, 'api.internal:8080'],
      ['10.0.0.2', 2, 'api.internal:8080'],
    ],
  );
  addresses.update('api.internal', ['169.254.169.254']);
  assert.equal(upstream?.choice.emptyReason, 'dial_denied');
  assert.equal(targets.held.size, 0);
  addresses.update('api.internal', ['10.0.0.2']);
  assert.deepEqual([...targets.held.keys()], ['10.0.0.2 8080']);
  await putInForce(runtime, [{ op: 'delete-service', id: 's' }]);
  assert.equal(targets.held.size, 0);
});

test('an upstream of a service may come before it, and a change of it reaches the service’s routes and lets its targets go', async () => {
  const targets = new CountedTargets();
  const runtime = createTestRuntime([], { targets });
  const settings = (port: number) => readUpstreamSettings('u', { nodes: [{ host: '10.1.1.1', port, weight: 1 }] });
  const put = (port: number) => ({ op: 'put-upstream', id: 'u', serviceId: 's', settings: settings(port) }) as const;
  const portOf = (): number | undefined => routeAt(runtime, '/a')?.otherUpstreams.get('u')?.upstream.choice.balancer.nodes[0]?.target.port;
  await putInForce(runtime, [put(81)]);
  await putInForce(runtime, [serviceChange(), routeChange('a', ['/a'])]);
  assert.equal(portOf(), 81);
  await putInForce(runtime, [put(82)]);
  assert.equal(portOf(), 82);
  await putInForce(runtime, [{ op: 'delete-upstream', id: 'u', serviceId: 's' }]);
  assert.equal(portOf(), undefined);
  await putInForce(runtime, [put(83), { op: 'delete-service', id: 's' }]);
  assert.deepEqual([...targets.held], []);
});
