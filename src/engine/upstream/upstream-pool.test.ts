import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { ByteStream } from '../testing/byte-stream.ts';
import { readMessage } from '../testing/message-reader.ts';
import { turns } from '../testing/stamped-body.ts';
import { startProxy, startUpstream, type TestProxy } from '../testing/test-engine.ts';
import type { UpstreamAsker, UpstreamConnection } from './upstream-connection.ts';
import { UpstreamPool } from './upstream-pool.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function exchangeOver(client: ByteStream, upstream: ByteStream, fields = ''): Promise<void> {
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`);
  await readMessage(client);
}

async function first(proxy: TestProxy, client: ByteStream, fields = ''): Promise<ByteStream> {
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await exchangeOver(client, upstream, fields);
  return upstream;
}

test('an address has one target while anyone holds it', () => {
  const pool = new UpstreamPool({ clock: new FakeClock() });
  const target = pool.target('127.0.0.1', 80);
  assert.equal(pool.target('127.0.0.1', 80), target);
  assert.notEqual(pool.target('127.0.0.1', 81), target);
  pool.retire(target);
  assert.equal(pool.target('127.0.0.1', 80), target);
  pool.retire(target);
  pool.retire(target);
  assert.notEqual(pool.target('127.0.0.1', 80), target);
});

test('names and impossible ports are refused', () => {
  const pool = new UpstreamPool({ clock: new FakeClock() });
  for (const [address, port] of [
    ['localhost', 80],
    ['', 80],
    ['127.0.0.1', 0],
    ['127.0.0.1', 70_000],
    ['::1', 1.5],
  ] as const) {
    assert.throws(() => pool.target(address, port), RangeError);
  }
});

test('an idle connection is closed after its time', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const upstream = await first(proxy, client);
  proxy.clock.advance(59_000);
  assert.equal(proxy.pool.openConnections, 1);
  proxy.clock.advance(2000);
  await upstream.takeRest();
  assert.equal(proxy.pool.openConnections, 0);
});

test('what the upstream says in Keep-Alive shortens the time by a second more', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const upstream = await first(proxy, client, 'Keep-Alive: timeout=5\r\n');
  proxy.clock.advance(5000);
  await upstream.takeRest();
  const short = await first(proxy, client, 'Keep-Alive: timeout=1\r\n');
  await short.takeRest();
});

test('a connection serves a limited number of requests', async (t) => {
  const clock = new FakeClock();
  const proxy = await startProxy(t, { pool: new UpstreamPool({ clock, requestsPerConnection: 2 }), clock });
  const client = await proxy.client();
  const upstream = await first(proxy, client);
  client.send(GET);
  await exchangeOver(client, upstream);
  await upstream.takeRest();
});

test('beyond the limit the connection idle longest is closed', async (t) => {
  const clock = new FakeClock();
  const proxy = await startProxy(t, { pool: new UpstreamPool({ clock, idleLimit: 1 }), clock });
  const clients = [await proxy.client(), await proxy.client()] as const;
  clients[0].send(GET);
  const one = await proxy.upstream.connection();
  clients[1].send(GET);
  const two = await proxy.upstream.connection();
  await exchangeOver(clients[0], one);
  await exchangeOver(clients[1], two);
  await one.takeRest();
  assert.equal(two.ended, false);
});

test('retiring a target closes what is idle at once and what is busy after its request', async (t) => {
  const proxy = await startProxy(t);
  const [busyClient, idleClient] = [await proxy.client(), await proxy.client()];
  busyClient.send(GET);
  const busy = await proxy.upstream.connection();
  await busy.takeThrough('\r\n\r\n');
  const idle = await first(proxy, idleClient);
  proxy.pool.retire(proxy.target);
  await idle.takeRest();
  assert.equal(busy.ended, false);
  busy.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await readMessage(busyClient)).body.toString(), 'ok');
  await busy.takeRest();
});

test('Connection: close, HTTP/1.0 and an unfinished request keep no connection', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const closing = await first(proxy, client, 'Connection: close\r\n');
  await closing.takeRest();
  client.send(GET);
  const old = await proxy.upstream.connection();
  await old.takeThrough('\r\n\r\n');
  old.send('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n');
  await readMessage(client);
  await old.takeRest();
  assert.equal(proxy.pool.openConnections, 0);
});

/** Somebody who asks for connections and notes what becomes of them. */
class NotingAsker implements UpstreamAsker {
  readonly heard: string[] = [];
  onConnected(): void {
    this.heard.push('connected');
  }
  onLost(): void {
    this.heard.push('lost');
  }
  onBytes(): void {}
  onEnd(): void {}
  onFlushed(): void {}
  onClose(): void {}
}

interface SettlingBed {
  /** Whoever acquires next, as a connection that is there. */
  acquire(asker: NotingAsker): UpstreamConnection;
  /** A fresh connection that has been made. */
  connected(): Promise<UpstreamConnection>;
  readonly pool: UpstreamPool;
  /** Where the loop is, as the pool is told. */
  readonly place: { loopCount: number; events: number };
}

async function settlingBed(t: Parameters<typeof startProxy>[0]): Promise<SettlingBed> {
  const upstream = await startUpstream(t);
  const place = { loopCount: 10, events: 100 };
  const pool = new UpstreamPool({ clock: new FakeClock(), loopPlace: () => place });
  t.after(() => pool.close());
  const target = pool.target('127.0.0.1', upstream.port);
  const acquire = (asker: NotingAsker): UpstreamConnection => {
    const connection = pool.acquire(target, asker);
    assert.ok(typeof connection !== 'string');
    return connection;
  };
  const connected = async (): Promise<UpstreamConnection> => {
    const connection = pool.connect(target, new NotingAsker());
    assert.ok(typeof connection !== 'string');
    await upstream.connection();
    while (!connection.ready) await turns(1);
    return connection;
  };
  return { acquire, connected, pool, place };
}

test('a connection is taken at once when the loop has asked what has arrived since it was given back', async (t) => {
  const { acquire, connected, pool, place } = await settlingBed(t);
  const [earlier, later] = [await connected(), await connected()];
  pool.release(earlier, Number.POSITIVE_INFINITY);
  place.loopCount += 1;
  pool.release(later, Number.POSITIVE_INFINITY);
  assert.equal(acquire(new NotingAsker()), earlier, 'the one on top has not settled');
  assert.equal(earlier.ready, true);
  pool.release(earlier, Number.POSITIVE_INFINITY);
  place.loopCount += 1;
  assert.equal(acquire(new NotingAsker()), earlier);
  assert.equal(acquire(new NotingAsker()), later);
});

test('where none has settled one is waited for, by one request alone', async (t) => {
  const { acquire, connected, pool, place } = await settlingBed(t);
  const [first, second] = [await connected(), await connected()];
  pool.release(first, Number.POSITIVE_INFINITY);
  pool.release(second, Number.POSITIVE_INFINITY);
  const askers = [new NotingAsker(), new NotingAsker(), new NotingAsker()] as const;
  assert.equal(acquire(askers[0]), second);
  assert.equal(acquire(askers[1]), first);
  const third = acquire(askers[2]);
  assert.ok(third !== first && third !== second);
  await turns(3);
  assert.deepEqual([askers[0].heard, second.ready, second.owner], [[], false, undefined]);
  place.loopCount += 1;
  await turns(2);
  assert.deepEqual([askers[0].heard, second.ready, second.owner], [['connected'], true, askers[0]]);
  assert.deepEqual(askers[1].heard, ['connected']);
});

test('who gives up a connection that has to settle hears nothing more of it, and it is gone', async (t) => {
  const { acquire, connected, pool, place } = await settlingBed(t);
  const connection = await connected();
  pool.release(connection, Number.POSITIVE_INFINITY);
  const asker = new NotingAsker();
  assert.equal(acquire(asker), connection);
  connection.destroy();
  place.loopCount += 1;
  await turns(5);
  assert.deepEqual(asker.heard, []);
  assert.equal(pool.openConnections, 0);
});

test('only what comes in the batch of events of which the request came is taken for older than it', async (t) => {
  const { acquire, connected, pool, place } = await settlingBed(t);
  const connection = await connected();
  connection.requests = 2;
  pool.release(connection, Number.POSITIVE_INFINITY);
  place.loopCount += 2;
  acquire(new NotingAsker());
  assert.equal(pool.spokeBefore(connection), true);
  place.events += 1024;
  assert.equal(pool.spokeBefore(connection), false, 'the system was asked again in the same turn');
  place.events -= 1024;
  place.loopCount += 1;
  assert.equal(pool.spokeBefore(connection), false);
});
