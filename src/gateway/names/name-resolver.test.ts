import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { RecordingLogger } from '../../../test-support/recording-logger.ts';
import { NameResolver } from './name-resolver.ts';
import type { AddressRecord, NameSources } from './name-sources.ts';

/** Servers and files as a test sets them: a list of addresses, or the code of a failure. */
class FakeSources implements NameSources {
  hosts = '';
  settings = '';
  ttl = 10;
  readonly four = new Map<string, readonly string[] | string>();
  readonly six = new Map<string, readonly string[] | string>();
  readonly asked: string[] = [];
  /** Set: answers wait until it is resolved. */
  gate: Promise<void> = Promise.resolve();
  waiting = 0;
  mostWaiting = 0;

  async readHosts(): Promise<string> {
    return this.hosts;
  }

  async readResolverSettings(): Promise<string> {
    return this.settings;
  }

  resolve4(name: string): Promise<readonly AddressRecord[]> {
    this.asked.push(name);
    return this.#answer(this.four.get(name));
  }

  resolve6(name: string): Promise<readonly AddressRecord[]> {
    return this.#answer(this.six.get(name));
  }

  async #answer(answer: readonly string[] | string = 'ENOTFOUND'): Promise<readonly AddressRecord[]> {
    const { ttl } = this;
    this.waiting += 1;
    this.mostWaiting = Math.max(this.mostWaiting, this.waiting);
    await this.gate;
    this.waiting -= 1;
    if (typeof answer === 'string') throw Object.assign(new Error(`query${answer}`), { code: answer });
    return answer.map((address) => ({ address, ttl }));
  }
}

function makeResolver() {
  const clock = new FakeClock();
  const sources = new FakeSources();
  const log = new RecordingLogger();
  const resolver = new NameResolver({ clock, sources, log, random: { bytes: (length) => Buffer.alloc(length) } });
  const changes: (readonly [string, readonly string[]])[] = [];
  resolver.onChange((name, addresses) => changes.push([name, addresses]));
  return { clock, sources, log, resolver, changes };
}

/** Lets everything that does not wait for the clock or a gate come to rest. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await nextTurn();
}

test('an IP literal is its own address at once, in canonical spelling, and asks nobody', async () => {
  const { resolver, sources, clock } = makeResolver();
  resolver.retain('::ffff:10.0.0.1');
  await resolver.resolved(['::ffff:10.0.0.1', '10.0.0.2'], 1000);
  assert.deepEqual(resolver.addressesOf('::ffff:10.0.0.1'), ['10.0.0.1']);
  assert.deepEqual(sources.asked, []);
  assert.equal(clock.pendingTasks, 0);
});

test('A and AAAA records are joined, IPv4 first, in an order that a rotating server does not change', async () => {
  const { resolver, sources, changes, clock } = makeResolver();
  sources.four.set('web.example', ['10.0.0.2', '10.0.0.1', '10.0.0.2']);
  sources.six.set('web.example', ['2001:db8::2']);
  resolver.retain('web.example');
  await resolver.resolved(['web.example'], 1000);
  const addresses = ['10.0.0.1', '10.0.0.2', '2001:db8::2'];
  assert.deepEqual(resolver.addressesOf('web.example'), addresses);
  sources.four.set('web.example', ['10.0.0.1', '10.0.0.2']);
  clock.advance(10_000);
  await settle();
  assert.equal(sources.asked.length, 2);
  assert.deepEqual(changes, [['web.example', addresses]]);
});

test('a changed answer is told once its time to live has passed, not before', async () => {
  const { resolver, sources, changes, clock } = makeResolver();
  sources.four.set('web.example', ['10.0.0.1']);
  resolver.retain('web.example');
  await settle();
  sources.four.set('web.example', ['10.0.0.9']);
  clock.advance(9_999);
  await settle();
  assert.equal(changes.length, 1);
  clock.advance(1);
  await settle();
  assert.deepEqual(changes.at(-1), ['web.example', ['10.0.0.9']]);
});

test('the time to live is at least 1 s and at most 300 s', async () => {
  for (const [ttl, waitMs] of [
    [0, 1000],
    [100_000, 300_000],
  ] as const) {
    const { resolver, sources, clock } = makeResolver();
    sources.ttl = ttl;
    sources.four.set('web.example', ['10.0.0.1']);
    resolver.retain('web.example');
    await settle();
    clock.advance(waitMs - 1);
    await settle();
    assert.equal(sources.asked.length, 1);
    clock.advance(1);
    await settle();
    assert.equal(sources.asked.length, 2);
    resolver.close();
  }
});

test('the last good addresses stay while answers fail, one warning tells it, and coming back is told too', async () => {
  const { resolver, sources, changes, clock, log } = makeResolver();
  sources.four.set('web.example', ['10.0.0.1']);
  resolver.retain('web.example');
  await settle();
  for (const failure of ['ESERVFAIL', 'ETIMEOUT', 'ENOTFOUND']) {
    sources.four.set('web.example', failure);
    clock.advance(30_000);
    await settle();
    assert.deepEqual(resolver.addressesOf('web.example'), ['10.0.0.1']);
  }
  assert.equal(resolver.failedLookups >= 3, true);
  assert.equal(log.lines.filter((line) => line.level === 'warn').length, 1);
  sources.four.set('web.example', ['10.0.0.1']);
  clock.advance(30_000);
  await settle();
  assert.equal(log.lines.filter((line) => line.level === 'info').length, 1);
  assert.equal(changes.length, 1);
});

test('a family whose server fails keeps its addresses while the other is renewed', async () => {
  const { resolver, sources, clock } = makeResolver();
  sources.four.set('web.example', ['10.0.0.1']);
  sources.six.set('web.example', ['2001:db8::1']);
  resolver.retain('web.example');
  await settle();
  sources.four.set('web.example', ['10.0.0.2']);
  sources.six.set('web.example', 'ETIMEOUT');
  clock.advance(10_000);
  await settle();
  assert.deepEqual(resolver.addressesOf('web.example'), ['10.0.0.2', '2001:db8::1']);
  sources.six.set('web.example', 'ENODATA');
  clock.advance(10_000);
  await settle();
  assert.deepEqual(resolver.addressesOf('web.example'), ['10.0.0.2']);
});

test('a name that never resolved has no addresses, is answered, and is asked again ever more slowly', async () => {
  const { resolver, sources, clock, changes } = makeResolver();
  resolver.retain('new.example');
  await resolver.resolved(['new.example'], 1000);
  assert.equal(resolver.addressesOf('new.example'), undefined);
  for (const waitMs of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    const before = sources.asked.length;
    clock.advance(waitMs - 1);
    await settle();
    assert.equal(sources.asked.length, before);
    clock.advance(1);
    await settle();
    assert.equal(sources.asked.length, before + 1);
  }
  sources.four.set('new.example', ['10.0.0.7']);
  clock.advance(30_000);
  await settle();
  assert.deepEqual(changes, [['new.example', ['10.0.0.7']]]);
});

test('the hosts file comes before the servers, and a change of it is noticed', async () => {
  const { resolver, sources, clock } = makeResolver();
  sources.hosts = '10.1.1.1 Web.Example\n';
  sources.four.set('web.example', ['10.0.0.1']);
  resolver.retain('web.example');
  await settle();
  assert.deepEqual(resolver.addressesOf('web.example'), ['10.1.1.1']);
  assert.deepEqual(sources.asked, []);
  sources.hosts = '10.2.2.2 web.example\n';
  clock.advance(5000);
  await settle();
  assert.deepEqual(resolver.addressesOf('web.example'), ['10.2.2.2']);
  sources.hosts = '';
  clock.advance(5000);
  await settle();
  assert.deepEqual(resolver.addressesOf('web.example'), ['10.0.0.1']);
});

test('localhost never goes to a server', async () => {
  const { resolver, sources } = makeResolver();
  for (const name of ['localhost', 'app.localhost', 'LOCALHOST.']) resolver.retain(name);
  await settle();
  for (const name of ['localhost', 'app.localhost', 'LOCALHOST.']) assert.deepEqual(resolver.addressesOf(name), ['127.0.0.1', '::1']);
  assert.deepEqual(sources.asked, []);
});

test('names are asked under the search domains in order, but a failing server does not lead to the next domain', async () => {
  const { resolver, sources, clock } = makeResolver();
  sources.settings = 'search ns.svc svc\noptions ndots:5\n';
  sources.four.set('web.svc', ['10.0.0.1']);
  resolver.retain('web');
  await settle();
  assert.deepEqual(sources.asked, ['web.ns.svc', 'web.svc']);
  sources.asked.length = 0;
  sources.four.set('db.ns.svc', 'ESERVFAIL');
  sources.four.set('db.svc', ['10.6.6.6']);
  resolver.retain('db');
  await settle();
  assert.deepEqual(sources.asked, ['db.ns.svc']);
  assert.equal(resolver.addressesOf('db'), undefined);
  sources.settings = 'search other\n';
  sources.four.set('web.other', ['10.0.0.3']);
  clock.advance(5000);
  await settle();
  assert.deepEqual(resolver.addressesOf('web'), ['10.0.0.3']);
});

test('a name is kept as often as it was retained, then forgotten with all its work', async () => {
  const { resolver, sources, clock } = makeResolver();
  sources.four.set('web.example', ['10.0.0.1']);
  resolver.retain('web.example');
  resolver.retain('web.example');
  await settle();
  assert.equal(sources.asked.length, 1);
  resolver.release('web.example');
  assert.deepEqual(resolver.addressesOf('web.example'), ['10.0.0.1']);
  resolver.release('web.example');
  resolver.release('web.example');
  assert.equal(resolver.addressesOf('web.example'), undefined);
  clock.advance(600_000);
  await settle();
  assert.equal(sources.asked.length, 1);
  assert.equal(clock.pendingTasks, 0);
});

test('an answer for a name that was released meanwhile changes nothing', async () => {
  const { resolver, sources, changes } = makeResolver();
  const { promise, resolve } = Promise.withResolvers<void>();
  sources.gate = promise;
  sources.four.set('web.example', ['10.0.0.1']);
  resolver.retain('web.example');
  await settle();
  resolver.release('web.example');
  resolve();
  await settle();
  assert.deepEqual(changes, []);
  assert.equal(resolver.addressesOf('web.example'), undefined);
});

test('waiting for names ends with the last answer, or when the time is over, whichever is first', async () => {
  const { resolver, sources, clock } = makeResolver();
  const { promise, resolve } = Promise.withResolvers<void>();
  sources.gate = promise;
  resolver.retain('slow.example');
  let isOver = false;
  const waiting = resolver.resolved(['slow.example', 'not-retained.example'], 2000).then(() => {
    isOver = true;
  });
  await settle();
  assert.equal(isOver, false);
  clock.advance(2000);
  await waiting;
  const second = resolver.resolved(['slow.example'], 1_000_000);
  resolve();
  await second;
});

test('many names are asked a few at a time', async () => {
  const { resolver, sources } = makeResolver();
  const { promise, resolve } = Promise.withResolvers<void>();
  sources.gate = promise;
  const names = Array.from({ length: 500 }, (_, index) => `n${index}.example`);
  for (const name of names) {
    sources.four.set(name, ['10.0.0.1']);
    resolver.retain(name);
  }
  await settle();
  assert.ok(sources.mostWaiting <= 64);
  resolve();
  await resolver.resolved(names, 1000);
  for (const name of names) assert.deepEqual(resolver.addressesOf(name), ['10.0.0.1']);
});

test('a closed resolver leaves nothing pending and wakes who waits', async () => {
  const { resolver, sources, clock, changes } = makeResolver();
  const { promise, resolve } = Promise.withResolvers<void>();
  sources.gate = promise;
  sources.four.set('web.example', ['10.0.0.1']);
  resolver.retain('web.example');
  const waiting = resolver.resolved(['web.example'], 1_000_000);
  resolver.close();
  await waiting;
  resolve();
  await settle();
  assert.deepEqual(changes, []);
  assert.equal(clock.pendingTasks, 0);
});

test('this machine’s own sources know its hosts file', async () => {
  const clock = new FakeClock();
  const resolver = new NameResolver({ clock, log: new RecordingLogger(), random: { bytes: (length) => Buffer.alloc(length) } });
  resolver.retain('localhost');
  await resolver.resolved(['localhost'], 1000);
  assert.ok((resolver.addressesOf('localhost') ?? []).some((address) => address === '127.0.0.1' || address === '::1'));
  resolver.close();
});
