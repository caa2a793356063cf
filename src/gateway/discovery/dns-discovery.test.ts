import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { NameResolver, type ServiceRecord } from '../names/index.ts';
import type { DiscoveredNode } from './discovery.ts';
import { DnsDiscovery } from './dns-discovery.ts';

type Records = readonly ServiceRecord[] | 'ENOTFOUND' | 'ESERVFAIL';

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Names and services as a test sets them. */
function makeDiscovery() {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const addresses = new Map<string, readonly string[]>();
  const services = new Map<string, Records>();
  const asked: string[] = [];
  const random = { bytes: (length: number) => Buffer.alloc(length) };
  const resolver = new NameResolver({
    clock,
    log,
    random,
    sources: {
      readHosts: async () => '',
      readResolverSettings: async () => '',
      resolve4: async (name) => {
        const found = addresses.get(name);
        if (found === undefined) throw failure('ENOTFOUND');
        return found.map((address) => ({ address, ttl: 1 }));
      },
      resolve6: async () => {
        throw failure('ENODATA');
      },
    },
  });
  const resolveSrv = async (name: string): Promise<readonly ServiceRecord[]> => {
    asked.push(name);
    const records = services.get(name) ?? 'ENOTFOUND';
    if (typeof records === 'string') throw failure(records);
    return records;
  };
  const discovery = new DnsDiscovery({ resolver, resolveSrv, clock, random, log });
  const changes: string[] = [];
  discovery.onChange((service) => changes.push(service));
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await nextTurn();
  };
  const pass = async (durationMs: number): Promise<void> => {
    clock.advance(durationMs);
    await settle();
  };
  const nodesOf = (service: string): string[] | undefined => discovery.nodesOf(service)?.map(textOf);
  return { clock, log, addresses, services, asked, resolver, discovery, changes, settle, pass, nodesOf };
}

function textOf({ address, port, weight, priority }: DiscoveredNode): string {
  return `${address}:${port ?? '-'} ${weight} ${priority}`;
}

function record(name: string, port: number, weight = 1, priority = 0): ServiceRecord {
  return { name, port, weight, priority };
}

test('SRV records tell address, port, weight and priority; a target’s addresses share its weight', async () => {
  const { discovery, services, addresses, nodesOf, settle } = makeDiscovery();
  services.set('_http._tcp.shop', [record('b.test', 81, 30, 2), record('a.test', 80, 0, 1), record('c.test', 0, 6, 1)]);
  addresses.set('a.test', ['10.0.0.1']).set('b.test', ['10.0.0.2']).set('c.test', ['10.0.0.3', '10.0.0.4']);
  discovery.retain('_http._tcp.shop');
  await discovery.resolved(['_http._tcp.shop'], 1000);
  await settle();
  assert.deepEqual(nodesOf('_http._tcp.shop'), ['10.0.0.1:80 0.1 -1', '10.0.0.3:- 3 -1', '10.0.0.4:- 3 -1', '10.0.0.2:81 30 -2']);
  services.set('all-zero', [record('a.test', 1, 0), record('b.test', 2, 0)]);
  discovery.retain('all-zero:7');
  discovery.retain('all-zero');
  await discovery.resolved(['all-zero', 'all-zero:7'], 1000);
  assert.deepEqual(nodesOf('all-zero'), ['10.0.0.1:1 1 0', '10.0.0.2:2 1 0']);
  discovery.close();
});

test('without SRV records addresses are nodes, at the port of the name or of the scheme', async () => {
  const { discovery, addresses, asked, nodesOf } = makeDiscovery();
  addresses.set('plain.test', ['10.0.0.2', '10.0.0.1']);
  const services = ['plain.test', 'plain.test:8080', '10.9.9.9:1', 'localhost:2'];
  for (const service of services) discovery.retain(service);
  await discovery.resolved(services, 1000);
  assert.deepEqual(nodesOf('plain.test'), ['10.0.0.1:- 1 0', '10.0.0.2:- 1 0']);
  assert.deepEqual(nodesOf('plain.test:8080'), ['10.0.0.1:8080 1 0', '10.0.0.2:8080 1 0']);
  assert.deepEqual(nodesOf('10.9.9.9:1'), ['10.9.9.9:1 1 0']);
  assert.deepEqual(nodesOf('localhost:2'), ['127.0.0.1:2 1 0', '::1:2 1 0']);
  assert.deepEqual(new Set(asked), new Set(['plain.test']));
  discovery.close();
});

test('changes of records and of addresses are told, once each, and the same again is not', async () => {
  const { discovery, services, addresses, changes, nodesOf, pass, settle } = makeDiscovery();
  services.set('shop', [record('a.test', 80)]);
  addresses.set('a.test', ['10.0.0.1']).set('b.test', ['10.0.0.2']);
  discovery.retain('shop');
  await discovery.resolved(['shop'], 1000);
  await settle();
  assert.deepEqual(changes, ['shop']);
  await pass(5000);
  assert.deepEqual(changes, ['shop']);
  addresses.set('a.test', ['10.0.0.9']);
  await pass(5000);
  assert.deepEqual([changes.length, nodesOf('shop')], [2, ['10.0.0.9:80 1 0']]);
  services.set('shop', [record('b.test', 80)]);
  await pass(5000);
  await pass(5000);
  assert.deepEqual([changes.length, nodesOf('shop')], [3, ['10.0.0.2:80 1 0']]);
  discovery.close();
});

test('failures leave the last nodes, and are told once', async () => {
  const { discovery, services, addresses, log, nodesOf, pass } = makeDiscovery();
  services.set('shop', [record('a.test', 80)]);
  addresses.set('a.test', ['10.0.0.1']);
  discovery.retain('shop');
  await discovery.resolved(['shop'], 1000);
  services.set('shop', 'ESERVFAIL');
  for (let turn = 0; turn < 3; turn++) await pass(5000);
  services.set('shop', 'ENOTFOUND');
  await pass(5000);
  assert.deepEqual(nodesOf('shop'), ['10.0.0.1:80 1 0']);
  assert.equal(log.lines.filter(({ message }) => message.startsWith('the SRV records')).length, 1);
  discovery.close();
});

test('a service that never was found has no nodes, and waiting for it ends', async () => {
  const { discovery, clock, nodesOf, settle } = makeDiscovery();
  discovery.retain('gone');
  await discovery.resolved(['gone'], 1000);
  assert.equal(nodesOf('gone'), undefined);
  const waiting = discovery.resolved(['unknown'], 1000);
  await waiting;
  discovery.release('gone');
  await settle();
  discovery.close();
  assert.ok(clock.pendingTasks <= 1);
});

test('a service is followed as often as it is retained, and nothing is left of it afterwards', async () => {
  const { discovery, services, addresses, resolver, asked, nodesOf, pass } = makeDiscovery();
  services.set('shop', [record('a.test', 80)]);
  addresses.set('a.test', ['10.0.0.1']);
  discovery.retain('shop');
  discovery.retain('shop');
  await discovery.resolved(['shop'], 1000);
  discovery.release('shop');
  assert.deepEqual(nodesOf('shop'), ['10.0.0.1:80 1 0']);
  discovery.release('shop');
  discovery.release('shop');
  const before = asked.length;
  await pass(20_000);
  assert.deepEqual([nodesOf('shop'), resolver.addressesOf('a.test'), asked.length], [undefined, undefined, before]);
});
