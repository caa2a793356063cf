import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ErrorReason } from '../../errors/index.ts';
import type { ByteStream } from '../testing/byte-stream.ts';
import { readMessage } from '../testing/message-reader.ts';
import { closedPort, startEngine, startProxy, startUpstream, type TestProxy } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a node that refuses is followed by the next, which gets the whole request', async (t) => {
  const upstream = await startUpstream(t);
  const deadPort = await closedPort(t);
  const asked: (readonly [number, ErrorReason | undefined])[] = [];
  const engine = await startEngine(t, (exchange) =>
    exchange.forward(
      planTo(live, {
        nextTarget: (attempt, failure) => {
          asked.push([attempt, failure]);
          return attempt === 0 ? dead : live;
        },
      }),
    ),
  );
  const dead = engine.pool.target('127.0.0.1', deadPort);
  const live = engine.pool.target('127.0.0.1', upstream.port);
  const client = await engine.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  const connection = await upstream.connection();
  await connection.takeThrough('\r\n\r\nhello');
  client.send('world');
  await connection.takeThrough('world');
  connection.send(OK);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
  assert.deepEqual(asked, [
    [0, undefined],
    [1, 'connect_refused'],
  ]);
  assert.equal(engine.handler.finished[0]?.attempts, 2);
});

describe('without another node the first failure is the answer', () => {
  test('a node that refuses', async (t) => {
    const dead = await closedPort(t);
    const engine = await startEngine(t, (exchange) => exchange.forward(planTo(target)));
    const target = engine.pool.target('127.0.0.1', dead);
    const client = await engine.client();
    client.send(`${GET}${GET}`);
    for (let index = 0; index < 2; index++) {
      const answer = await readMessage(client);
      assert.equal(answer.startLine, 'HTTP/1.1 502 Bad Gateway');
      assert.equal(answer.body.toString(), '{"error_msg":"the upstream refused the connection"}\n');
    }
    assert.equal((await engine.handler.whenFinished(2))[1]?.reason, 'connect_refused');
  });

  test('no node at all', async (t) => {
    const engine = await startEngine(t, (exchange) => exchange.forward(planTo(target, { nextTarget: () => 'no_upstream' })));
    const target = engine.pool.target('127.0.0.1', 9);
    const client = await engine.client();
    client.send(GET);
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 503 Service Unavailable');
    assert.deepEqual(
      (await engine.handler.whenFinished(1)).map(({ reason, attempts }) => [reason, attempts]),
      [['no_upstream', 0]],
    );
  });
});

test('a plan that throws is answered with 500', async (t) => {
  const engine = await startEngine(t, (exchange) =>
    exchange.forward(
      planTo(target, {
        nextTarget: () => {
          throw new Error('a defect');
        },
      }),
    ),
  );
  const target = engine.pool.target('127.0.0.1', 9);
  const client = await engine.client();
  client.send(GET);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
  assert.match(String(engine.failures[0]), /a defect/);
});

describe('a response that breaks the protocol is a 502 and ends the connection to the upstream', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['no HTTP', 'hello\r\n\r\n'],
    ['two framings', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['switching protocols unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['endless interim responses', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(17)],
    ['a bad chunk in the first bytes', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ];
  for (const [name, response] of cases) {
    test(name, async (t) => {
      const proxy = await startProxy(t);
      const client = await proxy.client();
      client.send(GET);
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('\r\n\r\n');
      upstream.send(response);
      const answer = await readMessage(client);
      assert.equal(answer.startLine, 'HTTP/1.1 502 Bad Gateway');
      assert.equal(answer.header('connection'), undefined);
      assert.deepEqual(
        (await proxy.handler.whenFinished(1)).map(({ reason }) => reason),
        ['bad_upstream_response'],
      );
      await upstream.takeRest();
    });
  }
});

for (const how of ['orderly', 'by a reset'] as const) {
  test(`an upstream that closes ${how} before its response is a 502`, async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    client.send(GET);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    if (how === 'orderly') upstream.socket.end();
    else upstream.socket.resetAndDestroy();
    assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
    assert.deepEqual(
      (await proxy.handler.whenFinished(1)).map(({ reason }) => reason),
      ['upstream_closed'],
    );
  });

  for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
    test(`an upstream that closes ${how} inside its response (${framing}) is noticed by the client`, async (t) => {
      const proxy = await startProxy(t);
      const client = await proxy.client();
      client.send(GET);
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough('\r\n\r\n');
      upstream.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      await client.takeThrough('\r\n\r\n');
      if (how === 'orderly') upstream.socket.end();
      else upstream.socket.resetAndDestroy();
      assert.equal(await client.takeRest(), '', 'it ends without what the framing announced');
      assert.deepEqual(
        (await proxy.handler.whenFinished(1)).map(({ reason, status }) => [reason, status]),
        [['upstream_truncated', 200]],
      );
    });
  }
}

test('a response that ends with its connection is truncated by a reset, to an HTTP/1.0 client too', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('GET / HTTP/1.0\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\n\r\nhello');
  await client.takeThrough('hello');
  upstream.socket.resetAndDestroy();
  await client.whenClosed();
  assert.equal(client.failure, 'ECONNRESET');
});

/** Leaves one idle upstream connection behind and gives it. */
async function idleUpstream(proxy: TestProxy, client: ByteStream): Promise<ByteStream> {
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(OK);
  await readMessage(client);
  return upstream;
}

test('an idempotent request on a stale connection is sent again on a fresh one, once', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const stale = await idleUpstream(proxy, client);
  client.send('PUT /again HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
  await stale.takeThrough('body');
  stale.socket.resetAndDestroy();
  const fresh = await proxy.upstream.connection();
  assert.equal(await fresh.takeThrough('body'), 'PUT /again HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
  fresh.socket.resetAndDestroy();
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
  assert.equal((await proxy.handler.whenFinished(2))[1]?.attempts, 2);
});

test('a request that is not idempotent is not sent twice', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const stale = await idleUpstream(proxy, client);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
  await stale.takeThrough('body');
  stale.socket.resetAndDestroy();
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
  assert.equal(proxy.upstream.connections.length, 1);
});

test('a request whose body has been passed on is not sent twice', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const stale = await idleUpstream(proxy, client);
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nbody');
  await stale.takeThrough('body');
  client.send('more');
  await stale.takeThrough('more');
  stale.socket.resetAndDestroy();
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
  assert.equal(proxy.upstream.connections.length, 1);
});

test('a request on a fresh connection is not sent twice', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(GET);
  (await proxy.upstream.connection()).socket.resetAndDestroy();
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
  assert.equal(proxy.upstream.connections.length, 1);
});

test('an idle connection that its upstream closes is not used', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const idle = await idleUpstream(proxy, client);
  idle.socket.end();
  await idle.whenClosed();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  const fresh = await proxy.upstream.connection();
  await fresh.takeThrough('\r\n\r\n');
  fresh.send(OK);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
});

describe('a client that goes away takes its upstream exchange with it', () => {
  test('while the upstream is silent', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    client.send(GET);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    client.socket.resetAndDestroy();
    await upstream.takeRest();
    assert.deepEqual(
      (await proxy.handler.whenFinished(1)).map(({ reason, status }) => [reason, status]),
      [['client_aborted', 0]],
    );
  });

  test('inside its own body', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('hello');
    client.socket.end();
    await upstream.takeRest();
    assert.deepEqual(
      (await proxy.handler.whenFinished(1)).map(({ reason }) => reason),
      ['client_aborted'],
    );
  });

  test('inside the response', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    client.send(GET);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.takeThrough('hello');
    client.socket.resetAndDestroy();
    await upstream.takeRest();
    assert.deepEqual(
      (await proxy.handler.whenFinished(1)).map(({ reason, status }) => [reason, status]),
      [['client_aborted', 200]],
    );
  });
});

test('a client that ends its side behind a whole request still gets the response', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.socket.end(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  await new Promise(setImmediate);
  upstream.send(OK);
  const answer = await readMessage(client);
  assert.equal(answer.body.toString(), 'ok');
  assert.equal(await client.takeRest(), '');
});

test('a target of another making is an error of the plan, not of the engine', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.forward(planTo({ address: '127.0.0.1', port: 1 })));
  const client = await engine.client();
  client.send(GET);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 500 Internal Server Error');
});

test('of an early answer to a large body all is heard that was sent before the upstream closed', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const size = 4 * 1024 * 1024;
  const answer = 'x'.repeat(20_000);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.socket.pause();
  client.send(Buffer.alloc(size / 2));
  // Bytes that the upstream has not read make its close a reset.
  await new Promise((resolve) => upstream.socket.once('readable', resolve));
  const head = `HTTP/1.1 413 Content Too Large\r\nContent-Length: ${answer.length}\r\n\r\n`;
  upstream.socket.write(head + answer, () => upstream.socket.destroy());
  client.send(Buffer.alloc(size / 2));
  const message = await readMessage(client);
  assert.equal(message.startLine, 'HTTP/1.1 413 Content Too Large');
  assert.equal(message.body.toString(), answer);
  assert.equal(proxy.pool.openConnections, 0);
});

describe('a body that the upstream takes for a request of its own', () => {
  const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
  const body = 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n';

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE']) {
    test(`with ${method}: its connection serves nothing else`, async (t) => {
      const proxy = await startProxy(t);
      const client = await proxy.client();
      client.send(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      const upstream = await proxy.upstream.connection();
      await upstream.takeThrough(body);
      upstream.send(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' : OK);
      await readMessage(client, { withoutBody: method === 'HEAD' });
      await upstream.takeRest();
      upstream.send(EVIL);
      client.send(GET);
      const next = await proxy.upstream.connection();
      await next.takeThrough('\r\n\r\n');
      next.send(OK);
      assert.equal((await readMessage(client)).body.toString(), 'ok');
      assert.equal(client.received.length, 0);
    });
  }

  test('with POST: an answer to it in a packet of its own, while the next request waits already, meets nobody', async (t) => {
    const proxy = await startProxy(t);
    const [client, other] = [await proxy.client(), await proxy.client()];
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough(body);
    // The next request is made in the very turn in which the exchange ends, which is as early as one can be.
    const { handler } = proxy;
    const finished = handler.onFinished.bind(handler);
    handler.onFinished = (exchange) => {
      finished(exchange);
      if (handler.finished.length === 1) {
        upstream.send(EVIL);
        waiting?.forward(planTo(proxy.target));
      }
    };
    let waiting: Parameters<typeof handler.decide>[0] | undefined;
    handler.decide = (exchange) => {
      waiting = exchange;
    };
    other.send(GET);
    while (waiting === undefined) await new Promise(setImmediate);
    await upstream.sendAll(Buffer.from(OK));
    assert.equal((await readMessage(client)).body.toString(), 'ok');
    const next = await proxy.upstream.connection();
    await next.takeThrough('\r\n\r\n');
    next.send(OK);
    assert.equal((await readMessage(other)).body.toString(), 'ok');
    await upstream.takeRest();
    assert.equal(proxy.pool.openConnections, 1);
  });

  test('a body that is read as one costs no connection', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    for (let count = 0; count < 3; count++) {
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`);
      const upstream = proxy.upstream.connections[0] ?? (await proxy.upstream.connection());
      await upstream.takeThrough('body');
      upstream.send(OK);
      assert.equal((await readMessage(client)).body.toString(), 'ok');
    }
    assert.equal(proxy.upstream.connections.length, 1);
  });
});
