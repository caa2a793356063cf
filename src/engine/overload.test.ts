import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../test-support/fake-clock.ts';
import type { Exchange } from './exchange.ts';
import type { HttpServerOptions } from './http-server.ts';
import type { ByteStream } from './testing/byte-stream.ts';
import { readMessage } from './testing/message-reader.ts';
import { TestAdmission } from './testing/test-admission.ts';
import { startEngine, startUpstream, type TestEngine } from './testing/test-engine.ts';
import { answerOf, planTo } from './testing/test-handler.ts';
import { UpstreamPool } from './upstream/upstream-pool.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

interface LimitedEngine extends TestEngine {
  readonly admission: TestAdmission;
}

async function startLimited(
  t: TestContext,
  decide: (exchange: Exchange) => void,
  options: Partial<HttpServerOptions> = {},
): Promise<LimitedEngine> {
  const admission = new TestAdmission();
  return { ...(await startEngine(t, decide, { admission, ...options })), admission };
}

const answering = (exchange: Exchange): void => exchange.respond(answerOf(200, 'ok'));

/** A client that has been answered and keeps its connection. */
async function idleClient(engine: TestEngine): Promise<ByteStream> {
  const client = await engine.client();
  client.send(GET);
  assert.match((await readMessage(client)).startLine, / 200 /);
  return client;
}

async function refusalOf(client: ByteStream, request = GET): Promise<{ readonly text: string; readonly retryAfter: string | undefined }> {
  client.send(request);
  const message = await readMessage(client, { withoutBody: request.startsWith('HEAD') });
  assert.match(message.startLine, / 503 /);
  assert.equal(message.header('connection'), 'close');
  assert.equal(await client.takeRest(), '');
  assert.equal(client.failure, undefined);
  return { text: message.body.toString(), retryAfter: message.header('retry-after') };
}

test('beyond the limit the connection idle longest makes room, and the others stay', async (t) => {
  const engine = await startLimited(t, answering);
  const [first, second] = [await idleClient(engine), await idleClient(engine)];
  engine.clock.advance(10);
  second.send(GET);
  await readMessage(second);
  engine.admission.clientLimit = 2;
  engine.clock.advance(990);
  await idleClient(engine);
  assert.equal(await first.takeRest(), '');
  assert.equal(second.ended, false);
  assert.equal(engine.admission.clients, 2);
  assert.deepEqual(engine.admission.refusals, []);
});

test('a client between two requests keeps its connection: the new one is refused until somebody has been idle for a second', async (t) => {
  const engine = await startLimited(t, answering);
  const kept = await idleClient(engine);
  engine.admission.clientLimit = 1;
  engine.clock.advance(999);
  await refusalOf(await engine.client());
  kept.send(GET);
  assert.match((await readMessage(kept)).startLine, / 200 /);
  engine.clock.advance(999);
  await refusalOf(await engine.client());
  assert.equal(kept.ended, false);
  engine.clock.advance(11);
  await idleClient(engine);
  assert.equal(await kept.takeRest(), '');
  assert.deepEqual(engine.admission.refusals, Array(2).fill('too_many_connections'));
});

test('when none is idle the new one gets 503 with Retry-After and its reason, and is closed', async (t) => {
  const held: Exchange[] = [];
  const engine = await startLimited(t, (exchange) => held.push(exchange));
  const busy = await engine.client();
  busy.send(GET);
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  engine.admission.clientLimit = 1;
  const refusal = await refusalOf(await engine.client());
  assert.deepEqual(refusal, { text: '{"error_msg":"too many connections"}\n', retryAfter: '1' });
  await refusalOf(await engine.client(), 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
  await refusalOf(await engine.client(), `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc${GET}`);
  assert.deepEqual(engine.admission.refusals, Array(3).fill('too_many_connections'));
  held[0]?.respond(answerOf(200, 'ok'));
  assert.equal((await readMessage(busy)).body.toString(), 'ok');
  assert.deepEqual(
    engine.handler.finished.map(({ status, reason }) => [status, reason]),
    [...Array(3).fill([503, 'too_many_connections']), [200, undefined]],
  );
});

test('a refused address gets its own reason, and nobody is closed for it', async (t) => {
  const engine = await startLimited(t, answering);
  const idle = await idleClient(engine);
  engine.admission.fullAddresses.add('127.0.0.1');
  const { text } = await refusalOf(await engine.client());
  assert.equal(text, '{"error_msg":"too many connections from this address"}\n');
  assert.equal(idle.ended, false);
});

test('a client that has only just come is not closed for another; one that stays silent is', async (t) => {
  const engine = await startLimited(t, answering);
  const silent = await engine.client();
  while (engine.server.openConnections === 0) await new Promise((resolve) => setImmediate(resolve));
  engine.admission.clientLimit = 1;
  await refusalOf(await engine.client());
  engine.clock.advance(5000);
  await idleClient(engine);
  assert.equal(await silent.takeRest(), '');
});

test('refused connections that ask nothing are bounded in number and in time', async (t) => {
  const engine = await startLimited(t, answering, { refusedConnections: 2 });
  engine.admission.clientLimit = 0;
  const clients = [await engine.client(), await engine.client(), await engine.client()] as const;
  assert.match((await readMessage(clients[0])).startLine, / 503 /);
  await clients[0].takeRest();
  engine.clock.advance(3000);
  for (const client of clients.slice(1)) assert.equal(await client.takeRest(), '');
  assert.equal(engine.server.openConnections > 2, false);
});

test('a refused connection that sends half a head is told why after two seconds', async (t) => {
  const engine = await startLimited(t, answering);
  engine.admission.clientLimit = 0;
  const client = await engine.client();
  client.send('GET / HT');
  // Who comes later is answered later: the half has been read by then.
  await refusalOf(await engine.client());
  engine.clock.advance(3000);
  const message = await readMessage(client);
  assert.match(message.startLine, / 503 /);
  assert.equal(message.body.toString(), '{"error_msg":"too many connections"}\n');
  assert.equal(await client.takeRest(), '');
});

test('every end of a connection gives its place back once', async (t) => {
  const engine = await startLimited(t, answering);
  const [one, two] = [await idleClient(engine), await idleClient(engine)];
  assert.equal(engine.admission.clients, 2);
  one.socket.end();
  await one.whenClosed();
  two.socket.resetAndDestroy();
  await idleClient(engine);
  engine.clock.advance(1000);
  engine.server.closeIdle(5);
  await engine.server.whenIdle();
  assert.equal(engine.admission.clients, 0);
});

test('a connection is closed with the last answer that its number or its age allows', async (t) => {
  const engine = await startLimited(t, answering, { limits: { requestsPerConnection: 2 }, timeouts: { clientAgeMs: 1000 } });
  const counted = await idleClient(engine);
  counted.send(GET);
  assert.equal((await readMessage(counted)).header('connection'), 'close');
  const aged = await idleClient(engine);
  engine.clock.advance(1000);
  aged.send(GET);
  assert.equal((await readMessage(aged)).header('connection'), 'close');
  for (const client of [counted, aged]) assert.equal(await client.takeRest(), '');
});

/** An engine in front of two upstreams, `/a` and `/b`, with the pool under a limit. */
async function startTwoUpstreams(t: TestContext) {
  const clock = new FakeClock();
  const admission = new TestAdmission();
  const pool = new UpstreamPool({ clock, admission, connectionAgeMs: 1000, idleTimeoutMs: 60_000 });
  const [a, b] = [await startUpstream(t), await startUpstream(t)];
  const targets = { a: pool.target('127.0.0.1', a.port), b: pool.target('127.0.0.1', b.port) };
  const decide = (exchange: Exchange): void => {
    const head = exchange.head;
    const path = head?.bytes.toString('latin1', head.targetStart, head.targetEnd);
    exchange.forward(planTo(path === '/a' ? targets.a : targets.b));
  };
  const engine = await startEngine(t, decide, { pool, clock });
  const ask = async (path: string): Promise<ByteStream> => {
    const client = await engine.client();
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    return client;
  };
  return { ...engine, clock, admission, a, b, ask };
}

test('idle connections to other upstreams make room, the longest idle first', async (t) => {
  const { a, b, ask, admission, clock, pool } = await startTwoUpstreams(t);
  admission.upstreamLimit = 2;
  const clients = [await ask('/a'), await ask('/a')] as const;
  const [one, two] = [await a.connection(), await a.connection()];
  for (const [index, upstream] of [one, two].entries()) {
    await upstream.takeThrough('\r\n\r\n');
    upstream.send(OK);
    await readMessage(clients[index] ?? clients[0]);
    clock.advance(10);
  }
  const other = await ask('/b');
  const third = await b.connection();
  assert.equal(await one.takeRest(), '');
  assert.equal(two.ended, false);
  third.send(OK);
  assert.equal((await readMessage(other)).body.toString(), 'ok');
  assert.deepEqual([admission.upstreams, pool.openConnections, admission.refusals.length], [2, 2, 0]);
});

test('when every connection to upstreams is busy, a request that needs one more gets 503 with its reason', async (t) => {
  const { a, ask, admission, handler } = await startTwoUpstreams(t);
  admission.upstreamLimit = 1;
  const busy = await ask('/a');
  const upstream = await a.connection();
  await upstream.takeThrough('\r\n\r\n');
  const refused = await ask('/b');
  const message = await readMessage(refused);
  assert.match(message.startLine, / 503 /);
  assert.equal(message.header('retry-after'), '1');
  assert.equal(handler.finished[0]?.reason, 'too_many_upstream_connections');
  upstream.send(OK);
  assert.equal((await readMessage(busy)).body.toString(), 'ok');
  // The refused client's connection goes on, and the idle one makes room for it.
  refused.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(OK);
  assert.equal((await readMessage(refused)).body.toString(), 'ok');
});

test('a connection that a request with a body has just left makes room too', async (t) => {
  const { a, b, client: connect, admission } = await startTwoUpstreams(t);
  admission.upstreamLimit = 1;
  const client = await connect();
  client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET /b HTTP/1.1\r\nHost: a\r\n\r\n');
  for (const [node, end] of [
    [a, 'body'],
    [b, '\r\n\r\n'],
  ] as const) {
    const upstream = await node.connection();
    await upstream.takeThrough(end);
    upstream.send(OK);
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 200 OK');
  }
  assert.deepEqual([admission.upstreams, admission.refusals.length], [1, 0]);
});

test('a connection that is dropped for what it said uninvited makes room for the one that takes its place', async (t) => {
  const { a, ask, admission } = await startTwoUpstreams(t);
  admission.upstreamLimit = 1;
  const client = await ask('/a');
  const upstream = await a.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(OK);
  await readMessage(client);
  // Both are there when the loop looks next.
  client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  const next = await a.connection();
  await next.takeThrough('\r\n\r\n');
  next.send(OK);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
  assert.deepEqual([admission.upstreams, admission.refusals.length], [1, 0]);
});

test('a connection to an upstream serves no request after its age', async (t) => {
  const { a, ask, clock, admission, pool } = await startTwoUpstreams(t);
  const client = await ask('/a');
  const upstream = await a.connection();
  await upstream.takeThrough('\r\n\r\n');
  clock.advance(1000);
  upstream.send(OK);
  await readMessage(client);
  assert.equal(await upstream.takeRest(), '');
  while (pool.openConnections > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(admission.upstreams, 0);
});

test('targets of one address with other settings keep connections of their own', async (t) => {
  const clock = new FakeClock();
  const pool = new UpstreamPool({ clock });
  const upstream = await startUpstream(t);
  const once = { size: 1, idleTimeoutMs: 60_000, requests: 1 };
  const target = pool.target('127.0.0.1', upstream.port, once);
  assert.equal(pool.target('127.0.0.1', upstream.port, { ...once }), target);
  assert.notEqual(pool.target('127.0.0.1', upstream.port), target);
  const engine = await startEngine(t, (exchange) => exchange.forward(planTo(target)), { pool, clock });
  const client = await engine.client();
  client.send(GET);
  const first = await upstream.connection();
  await first.takeThrough('\r\n\r\n');
  first.send(OK);
  await readMessage(client);
  assert.equal(await first.takeRest(), '');
});
