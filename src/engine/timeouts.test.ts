import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage } from './testing/message-reader.ts';
import { startEngine, startProxy, type TestEngine } from './testing/test-engine.ts';
import { answerOf, planTo } from './testing/test-handler.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

async function reasons(engine: TestEngine, count: number): Promise<readonly (readonly [number, string | undefined])[]> {
  return (await engine.handler.whenFinished(count)).map(({ status, reason }) => [status, reason]);
}

test('a head that does not arrive in time gets 408', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, '')));
  const client = await engine.client();
  client.send('GET / HT');
  await turnsUntil(() => engine.server.exchangesInFlight === 1);
  engine.clock.advance(59_000);
  client.send('TP/1.1\r\n');
  engine.clock.advance(1500);
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 408 Request Timeout');
  assert.equal(await client.takeRest(), '');
  assert.deepEqual(await reasons(engine, 1), [[408, 'request_timeout']]);
});

test('a connection without a request is closed without a word', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, '')));
  const client = await engine.client();
  await turnsUntil(() => engine.server.openConnections === 1);
  engine.clock.advance(60_500);
  assert.equal(await client.takeRest(), '');
  assert.deepEqual(engine.handler.finished, []);
});

test('an idle kept-alive connection is closed after its time', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, '')));
  const client = await engine.client();
  client.send(GET);
  await readMessage(client);
  engine.clock.advance(74_000);
  client.send(GET);
  await readMessage(client);
  engine.clock.advance(74_000);
  assert.equal(client.ended, false);
  engine.clock.advance(1500);
  assert.equal(await client.takeRest(), '');
});

test('a closed connection whose client stays is dropped in the end', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, '')));
  const client = await engine.client();
  client.send('GET / HTTP/1.0\r\n\r\n');
  await readMessage(client);
  await client.takeRest();
  assert.equal(engine.server.openConnections, 1);
  engine.clock.advance(2500);
  await engine.server.whenIdle();
});

test('a body that stops arriving gets 408 and frees the upstream', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('hello');
  proxy.clock.advance(61_000);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 408 Request Timeout');
  await upstream.takeRest();
  assert.deepEqual(await reasons(proxy, 1), [[408, 'request_timeout']]);
});

test('an upstream that does not answer in time is a 504', async (t) => {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { readTimeoutMs: 3000 }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  proxy.clock.advance(2500);
  assert.equal(client.received.length, 0);
  proxy.clock.advance(1000);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 504 Gateway Timeout');
  await upstream.takeRest();
  assert.deepEqual(await reasons(proxy, 1), [[504, 'upstream_read_timeout']]);
});

test('an upstream that sends its head byte by byte has no more time than one that sends nothing', async (t) => {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { readTimeoutMs: 3000 }));
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  proxy.clock.advance(2500);
  upstream.send('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 2');
  await client.takeThrough('\r\n\r\n');
  for (const byte of '00 ') {
    proxy.clock.advance(900);
    upstream.send(byte);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  }
  proxy.clock.advance(900);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 504 Gateway Timeout');
  assert.deepEqual(await reasons(proxy, 1), [[504, 'upstream_read_timeout']]);
});

test('an upstream that falls silent inside its response cuts the client off', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  await client.takeThrough('hello');
  proxy.clock.advance(61_000);
  assert.equal(await client.takeRest(), '', 'it ends five bytes short');
  assert.deepEqual(await reasons(proxy, 1), [[200, 'upstream_truncated']]);
});

test('an upstream that sends now and then is waited for', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
  await client.takeThrough('\r\n\r\n');
  for (const letter of 'hello') {
    proxy.clock.advance(50_000);
    upstream.send(letter);
    await client.takeThrough(letter);
  }
  assert.deepEqual(await reasons(proxy, 1), [[200, undefined]]);
});

test('a client that takes nothing of its answer is cut off', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, 'x'.repeat(32 * 1024 * 1024))));
  const client = await engine.client();
  client.socket.pause();
  client.send(GET);
  await turnsUntil(() => engine.server.exchangesInFlight === 1);
  engine.clock.advance(59_000);
  assert.equal(engine.handler.finished.length, 0);
  engine.clock.advance(2000);
  assert.deepEqual(await reasons(engine, 1), [[200, 'client_write_timeout']]);
  await engine.server.whenIdle();
});

test('no connection leaves a sweep behind', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, '')));
  const client = await engine.client();
  await turnsUntil(() => engine.server.openConnections === 1);
  assert.equal(engine.clock.pendingTasks, 1);
  client.socket.end();
  await engine.server.whenIdle();
  assert.equal(engine.clock.pendingTasks, 0);
});

test('a client that has ended its side gets the answer that comes soon', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  client.socket.end();
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  proxy.clock.advance(4000);
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await readMessage(client)).body.toString(), 'ok');
  assert.equal(await client.takeRest(), '');
});

test('a client that has ended its side and waits long is given up, and its upstream connection with it', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  const startMs = proxy.clock.monotonicMs();
  client.socket.end();
  await turnsUntil(() => {
    proxy.clock.advance(100);
    return proxy.handler.finished.length > 0;
  });
  const waitedMs = proxy.clock.monotonicMs() - startMs;
  assert.ok(waitedMs >= 5000 && waitedMs < 60_000, `given up after ${waitedMs} ms`);
  await upstream.takeRest();
  assert.deepEqual(await reasons(proxy, 1), [[0, 'client_aborted']]);
});

test('an upstream that takes a large write slowly is waited for as long as it takes some of it', async (t) => {
  const proxy = await startProxy(t);
  const connect = t.mock.method(proxy.pool, 'connect');
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { sendTimeoutMs: 3000 }));
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('body');
  const connection = connect.mock.calls[0]?.result;
  assert.ok(typeof connection === 'object');
  let takenBytes = 1;
  Object.defineProperties(connection.transport, {
    pendingBytes: { get: () => 65_536 - takenBytes },
    takenBytes: { get: () => takenBytes },
  });
  for (let second = 0; second < 20; second++) {
    takenBytes++;
    proxy.clock.advance(2500);
  }
  assert.deepEqual(proxy.handler.finished, []);
  proxy.clock.advance(3500);
  assert.deepEqual(await reasons(proxy, 1), [[504, 'upstream_send_timeout']]);
});
