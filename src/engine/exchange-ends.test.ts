import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Exchange, RequestHead } from './exchange.ts';
import { readMessage } from './testing/message-reader.ts';
import { startEngine, startProxy, type TestEngine } from './testing/test-engine.ts';
import { answerOf, planTo } from './testing/test-handler.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

async function ends(engine: TestEngine, count = 1): Promise<readonly (readonly [number, string | undefined])[]> {
  return (await engine.handler.whenFinished(count)).map(({ status, reason }) => [status, reason]);
}

describe('the end of a drain tells a request that nothing was answered to why, whatever became of it', () => {
  test('a head that is half there', async (t) => {
    const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, '')));
    const client = await engine.client();
    client.send('GET / HT');
    await turnsUntil(() => engine.server.exchangesInFlight === 1);
    engine.server.destroyAll();
    const answer = await readMessage(client);
    assert.equal(answer.startLine, 'HTTP/1.1 503 Service Unavailable');
    assert.equal(answer.header('connection'), 'close');
    assert.equal(answer.body.toString(), '{"error_msg":"the gateway is shutting down"}\n');
    assert.equal(await client.takeRest(), '');
    assert.deepEqual(await ends(engine), [[503, 'drain_timeout']]);
  });

  test('one that is not decided yet; a later decision changes nothing', async (t) => {
    let asked: Exchange | undefined;
    const engine = await startEngine(t, (exchange) => {
      asked = exchange;
    });
    const client = await engine.client();
    client.send(GET);
    await turnsUntil(() => asked !== undefined);
    engine.server.beginDrain();
    engine.server.destroyAll();
    assert.equal(asked?.head, undefined);
    asked?.respond(answerOf(200, 'late'));
    assert.equal((await readMessage(client)).header('connection'), 'close');
    assert.equal(await client.takeRest(), '');
    assert.deepEqual(await ends(engine), [[503, 'drain_timeout']]);
    assert.deepEqual(engine.failures, []);
  });

  test('one that is with the upstream', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    client.send(GET);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    proxy.server.destroyAll();
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 503 Service Unavailable');
    await upstream.takeRest();
    assert.deepEqual(await ends(proxy), [[503, 'drain_timeout']]);
  });

  test('one inside its answer, which the client must not take for whole', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    client.send(GET);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.send('HTTP/1.1 200 OK\r\n\r\nhalf');
    await client.takeThrough('half\r\n');
    proxy.server.destroyAll();
    assert.equal(await client.takeRest(), '', 'it ends without the last chunk');
    assert.deepEqual(await ends(proxy), [[200, 'drain_timeout']]);
  });

  test('one whose answer the client does not take', async (t) => {
    const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, 'x'.repeat(16 * 1024 * 1024))));
    const client = await engine.client();
    client.socket.pause();
    client.send(GET);
    await turnsUntil(() => engine.server.exchangesInFlight === 1);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    engine.server.destroyAll();
    assert.deepEqual(await ends(engine), [[200, 'drain_timeout']]);
  });
});

test('a handler that never decides is answered for, and the connection serves the next request', async (t) => {
  const asked: Exchange[] = [];
  const engine = await startEngine(t, (exchange) => {
    asked.push(exchange);
    if (asked.length > 1)
      exchange.respond(answerOf(200, exchange.head?.bytes.toString('latin1', exchange.head.targetStart, exchange.head.targetEnd) ?? ''));
  });
  const client = await engine.client();
  client.send(`${GET}GET /second HTTP/1.1\r\nHost: a\r\n\r\n`);
  await turnsUntil(() => asked.length === 1);
  engine.clock.advance(59_000);
  assert.equal(client.received.length, 0);
  engine.clock.advance(1500);
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 500 Internal Server Error');
  assert.equal((await readMessage(client)).body.toString(), '/second');
  asked[0]?.respond(answerOf(200, 'late'));
  assert.equal(asked[0]?.head, undefined);
  assert.deepEqual(await ends(engine, 2), [
    [500, 'decision_timeout'],
    [200, undefined],
  ]);
});

test('a handler that waits on purpose has so much longer to decide', async (t) => {
  const asked: Exchange[] = [];
  const engine = await startEngine(t, (exchange) => {
    exchange.grantTime(40_000);
    asked.push(exchange);
  });
  const client = await engine.client();
  client.send(GET);
  await turnsUntil(() => asked.length === 1);
  engine.clock.advance(99_000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(engine.server.exchangesInFlight, 1);
  engine.clock.advance(1500);
  await readMessage(client);
  assert.deepEqual(await ends(engine), [[500, 'decision_timeout']]);
});

test('an undecided request with a body that is still coming ends with its connection', async (t) => {
  const engine = await startEngine(t, () => {});
  const client = await engine.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin');
  await turnsUntil(() => engine.server.exchangesInFlight === 1);
  engine.clock.advance(60_500);
  assert.equal((await readMessage(client)).header('connection'), 'close');
  client.send(`${GET}${GET}`);
  assert.equal(await client.takeRest(), '');
  assert.deepEqual(await ends(engine), [[500, 'decision_timeout']]);
});

test('a head that the handler still holds when its exchange is given up never becomes that of another request', async (t) => {
  const heads: (RequestHead | undefined)[] = [];
  const engine = await startEngine(t, (exchange) => heads.push(exchange.head));
  const timedOut = await engine.client();
  timedOut.send(GET);
  await turnsUntil(() => heads.length === 1);
  engine.clock.advance(61_000);
  await readMessage(timedOut);
  const gone = await engine.client();
  gone.send(GET);
  await turnsUntil(() => heads.length === 2);
  gone.socket.resetAndDestroy();
  await engine.handler.whenFinished(2);
  const other = await engine.client();
  other.send('GET /secret HTTP/1.1\r\nHost: a\r\nAuthorization: secret\r\n\r\n');
  await turnsUntil(() => heads.length === 3);
  for (const held of heads.slice(0, 2)) assert.equal(held?.findHeader(Buffer.from('authorization')), -1);
});

test('a client that breaks off while its body waits for a connection or a decision is noticed', async (t) => {
  for (const stage of ['deciding', 'sending'] as const) {
    const proxy = await startProxy(t);
    proxy.handler.decide = (exchange) => {
      if (stage === 'sending') exchange.forward(planTo(proxy.target));
    };
    const client = await proxy.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    if (stage === 'sending') {
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('\r\n\r\n');
      upstream.socket.pause();
    }
    while (client.socket.writableLength < 4 * 1024 * 1024) {
      client.send(Buffer.alloc(256 * 1024));
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    }
    client.socket.resetAndDestroy();
    await client.whenClosed();
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    proxy.clock.advance(600);
    assert.deepEqual(await ends(proxy), [[0, 'client_aborted']], stage);
    await proxy.server.whenIdle();
    await turnsUntil(() => proxy.pool.openConnections === 0);
  }
});

test("an upstream's own 100 is not a second one", async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 103 /);
  client.send('bodyGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  await upstream.takeThrough('body');
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await readMessage(client)).body.toString(), 'ok');
  // The next request did not ask, so here the upstream's 100 is what RFC 9110 §15.2 wants sent on.
  assert.match(await upstream.takeThrough('\r\n\r\n'), /^GET \/2 /);
  upstream.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n');
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 204 /);
});

test('an answer given in front of a body that nobody reads reaches the client, though the upstream closes at once', async (t) => {
  const proxy = await startProxy(t);
  for (let round = 0; round < 20; round++) {
    const client = await proxy.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n');
    client.send(Buffer.alloc(4_000_000));
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.socket.pause();
    await upstream.sendAll(Buffer.from('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig'));
    upstream.socket.destroy();
    const answer = await readMessage(client);
    assert.equal(answer.startLine, 'HTTP/1.1 413 Content Too Large');
    assert.equal(answer.body.toString(), 'big');
    client.socket.destroy();
  }
  const finished = await ends(proxy, 20);
  assert.ok(finished.every(([status, reason]) => status === 413 && reason === undefined));
  await turnsUntil(() => proxy.pool.openConnections === 0);
});
