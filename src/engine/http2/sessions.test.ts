import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { FLAG, FRAME, frameBytes, PREFACE } from '../testing/http2-frames.ts';
import { readAnswer, startHttp2Proxy } from '../testing/http2-proxy.ts';
import { answerOf } from '../testing/test-handler.ts';
import { SETTINGS_TIMEOUT } from './http2-codes.ts';

const GET = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
] as const;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a client that opens no window is given up, and what it was owed did not pile up', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin([[4, 0]]);
  client.request(1, GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
  const piece = Buffer.alloc(64 * 1024);
  let taken = 0;
  // The upstream is held up as soon as what its client does not take fills the buffers in between.
  for (; taken < 1000; taken++) {
    upstream.socket.write(piece);
    await turn();
    if (upstream.socket.writableLength > 1024 * 1024) break;
  }
  assert.ok(taken < 1000, 'the gateway has taken 64 MB that its client did not want');
  proxy.clock.advance(500);
  proxy.clock.advance(61_000);
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.reason, 'client_write_timeout');
  assert.notEqual(await client.errorCode(1), 0);
});

test('a whole small answer that the client never lets through is given up too', async (t) => {
  const proxy = await startHttp2Proxy(t);
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'ok'));
  const client = await proxy.frames();
  client.begin([[4, 0]]);
  client.request(1, GET);
  assert.equal(await client.status(1), 200);
  proxy.clock.advance(500);
  proxy.clock.advance(61_000);
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.reason, 'client_write_timeout');
});

/** A method that is not implemented: no engine ever sees the request. */
const REFUSED = [
  [':method', 'CONNECT'],
  [':authority', 'a'],
] as const;

test('a refusal that the client never lets through is given up as any answer is, whatever is still to come of its request', async (t) => {
  for (const endStream of [true, false]) {
    const proxy = await startHttp2Proxy(t);
    const client = await proxy.frames();
    client.begin([[4, 0]]);
    for (let stream = 1; stream < 80; stream += 2) client.request(stream, REFUSED, endStream);
    assert.equal(await client.status(1), 501);
    assert.notEqual(await client.frame(({ type, stream }) => type === FRAME.headers && stream === 79), undefined);
    proxy.clock.advance(500);
    proxy.clock.advance(61_000);
    assert.notEqual(await client.errorCode(79), 0);
    const finished = await proxy.handler.whenFinished(40);
    assert.deepEqual(new Set(finished.map(({ reason }) => reason)), new Set(['method_not_implemented']));
    await turn();
    await turn();
    // Nothing is left of them: the connection is idle, and goes in its time.
    proxy.clock.advance(76_000);
    proxy.clock.advance(3_000);
    await client.whenClosed();
  }
});

test('an answer given before the request has ended is given up too when the client never lets it through', async (t) => {
  const proxy = await startHttp2Proxy(t);
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'ok'));
  const client = await proxy.frames();
  client.begin([[4, 0]]);
  client.request(1, [[':method', 'POST'], ...GET.slice(1)], false);
  assert.equal(await client.status(1), 200);
  proxy.clock.advance(500);
  proxy.clock.advance(61_000);
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.reason, 'client_write_timeout');
  assert.notEqual(await client.errorCode(1), 0);
});

test('an upload waits for its upstream: the client gets no window for what is not taken', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const request = proxy.session().request({ ':method': 'POST', ':path': '/' });
  request.on('error', () => {});
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.socket.pause();
  const piece = Buffer.alloc(64 * 1024);
  let sent = 0;
  for (; sent < 1000; sent++) {
    request.write(piece);
    await turn();
    if (request.writableLength > 1024 * 1024) break;
  }
  assert.ok(sent < 1000, 'the gateway has taken 64 MB that its upstream did not read');
});

test('large bodies arrive whole in both directions', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const session = proxy.session();
  const bytes = Buffer.alloc(8 * 1024 * 1024, 'abcdefghijklmnopqrstuvwxyz0123456789');
  const request = session.request({ ':method': 'POST', ':path': '/', 'content-length': String(bytes.length) });
  const answer = readAnswer(request);
  request.end(bytes);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  assert.ok((await upstream.takeBytes(bytes.length)).equals(bytes));
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`);
  upstream.send(bytes);
  const { body } = await answer;
  assert.ok(body.equals(bytes));
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.reason, undefined);
});

test('a drain gives notice, tells which requests were taken, lets them end and then closes', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  client.request(1, GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  proxy.server.announceDrain();
  const notice = await client.frame(({ type }) => type === FRAME.goaway);
  assert.equal(notice?.payload.readUInt32BE(0), 0x7fff_ffff);
  assert.equal(notice?.payload.readUInt32BE(4), 0);
  // The client has acknowledged the PING that came with it.
  const last = await client.frame(({ type, payload }) => type === FRAME.goaway && payload.readUInt32BE(0) === 1);
  assert.equal(last?.payload.readUInt32BE(4), 0);
  // A client that comes all the same is served once.
  const late = await proxy.frames();
  late.begin();
  late.request(1, GET);
  const second = await proxy.upstream.connection();
  await second.takeThrough('\r\n\r\n');
  proxy.server.beginDrain();
  await late.frame(({ type }) => type === FRAME.goaway);
  for (const connection of [upstream, second]) connection.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal(await client.status(1), 200);
  assert.equal(await late.status(1), 200);
  await client.whenClosed();
  await late.whenClosed();
});

test('a session without requests is closed after its time, and one that asks nothing earlier', async (t) => {
  const proxy = await startHttp2Proxy(t, { timeouts: { headMs: 10_000, clientIdleMs: 20_000 } });
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'ok'));
  const silent = await proxy.frames();
  silent.begin();
  await silent.frame(({ type, flags }) => type === FRAME.settings && flags === FLAG.ack);
  const used = await proxy.frames();
  used.begin();
  used.request(1, GET);
  assert.equal(await used.status(1), 200);
  await proxy.handler.whenFinished(1);
  await turn();
  proxy.clock.advance(11_000);
  await silent.whenClosed();
  assert.equal(used.closed, false);
  proxy.clock.advance(10_000);
  await used.whenClosed();
});

test('a client that never acknowledges the settings is given up', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const socket = await proxy.socket();
  const received: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => received.push(bytes));
  socket.write(Buffer.concat([PREFACE, frameBytes(FRAME.settings, 0, 0, Buffer.alloc(0))]));
  await once(socket, 'data');
  proxy.clock.advance(500);
  proxy.clock.advance(31_000);
  await once(socket, 'close');
  const goaway = Buffer.concat(received).subarray(-17);
  assert.equal(goaway[3], FRAME.goaway);
  assert.equal(goaway.readUInt32BE(13), SETTINGS_TIMEOUT);
});

test('after its number of requests, and at its age, a session takes no more', async (t) => {
  const proxy = await startHttp2Proxy(t, { limits: { requestsPerConnection: 3 }, timeouts: { clientAgeMs: 1000 } });
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'ok'));
  const client = await proxy.frames();
  client.begin();
  for (const stream of [1, 3, 5]) {
    client.request(stream, GET);
    assert.equal(await client.status(stream), 200);
  }
  await client.whenClosed();
  const numbers = (await proxy.handler.whenFinished(3)).map(({ connectionRequests }) => connectionRequests);
  assert.deepEqual(numbers, [0, 1, 2]);
});

test('shutting down answers what is under way, or cuts it', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  client.request(1, GET);
  await (await proxy.upstream.connection()).takeThrough('\r\n\r\n');
  proxy.server.destroyAll();
  assert.equal(await client.status(1), 503);
  await client.whenClosed();
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.reason, 'drain_timeout');
  await proxy.server.whenIdle();
});

test('a client that is one too many is told so in the answer to its first request', async (t) => {
  let open = 0;
  const admission = {
    admitClient: () => (++open > 1 ? ('too_many_connections' as const) : undefined),
    clientGone: () => {},
    admitUpstream: () => undefined,
    upstreamGone: () => {},
    refused: () => {},
  };
  const proxy = await startHttp2Proxy(t, { admission });
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'ok'));
  const first = await proxy.frames();
  first.begin();
  first.request(1, GET);
  assert.equal(await first.status(1), 200);
  const second = await proxy.frames();
  second.begin();
  second.request(1, GET);
  assert.equal(await second.status(1), 503);
  await second.whenClosed();
});

test('clients that are too many, and take no answer, are not waited for', async (t) => {
  const admission = {
    admitClient: () => 'too_many_connections' as const,
    clientGone: () => {},
    admitUpstream: () => undefined,
    upstreamGone: () => {},
    refused: () => {},
  };
  const proxy = await startHttp2Proxy(t, { admission });
  for (const fields of [REFUSED, GET]) {
    const clients = await Promise.all(Array.from({ length: 40 }, () => proxy.frames()));
    for (const client of clients) {
      client.begin([[4, 0]]);
      client.request(1, fields);
    }
    await Promise.all(clients.map((client) => client.status(1)));
    proxy.clock.advance(500);
    proxy.clock.advance(3_000);
    await Promise.all(clients.map((client) => client.whenClosed()));
  }
});

test('a client that vanishes leaves nothing behind', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  for (const stream of [1, 3, 5]) client.request(stream, GET);
  const upstreams = [await proxy.upstream.connection(), await proxy.upstream.connection(), await proxy.upstream.connection()];
  client.socket.resetAndDestroy();
  await Promise.all(upstreams.map((upstream) => upstream.takeRest()));
  const finished = await proxy.handler.whenFinished(3);
  assert.deepEqual(new Set(finished.map(({ reason }) => reason)), new Set(['client_aborted']));
  proxy.server.stopAccepting();
  await proxy.server.whenIdle();
  assert.equal(proxy.server.exchangesInFlight, 0);
});
