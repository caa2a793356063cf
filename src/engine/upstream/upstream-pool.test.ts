import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { ByteStream } from '../testing/byte-stream.ts';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
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
