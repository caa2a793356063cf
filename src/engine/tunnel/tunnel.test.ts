import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { PatternCheck, patternBytes } from '../testing/byte-pattern.ts';
import type { ByteStream } from '../testing/byte-stream.ts';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';

const ASK = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n\r\n';
const ASKED = 'GET /chat HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: abc\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: xyz\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const PIECE = 256 * 1024;
const PIECES = 64;

async function startTunnels(test: Parameters<typeof startProxy>[0]): Promise<TestProxy> {
  const proxy = await startProxy(test);
  proxy.handler.decide = (exchange) =>
    exchange.forward(planTo(proxy.target, { allowsUpgrade: true, readTimeoutMs: 30_000, sendTimeoutMs: 20_000 }));
  return proxy;
}

interface Joined {
  readonly client: ByteStream;
  readonly upstream: ByteStream;
}

async function join(proxy: TestProxy): Promise<Joined> {
  const client = await proxy.client();
  client.send(ASK);
  const upstream = await proxy.upstream.connection();
  assert.equal(await upstream.takeThrough('\r\n\r\n'), ASKED);
  upstream.send(SWITCH);
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 101 /);
  return { client, upstream };
}

async function end(proxy: TestProxy): Promise<readonly [number, string | undefined]> {
  const [finished] = await proxy.handler.whenFinished(1);
  assert.ok(finished !== undefined);
  return [finished.status, finished.reason];
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

test('an offered change of protocol goes up rebuilt, and the answer comes back with what the gateway adds', async (t) => {
  const proxy = await startTunnels(t);
  proxy.handler.answerLines = 'Request-Name: 1\r\n';
  const client = await proxy.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\nconnection: keep-alive, UPGRADE ,x-hop\r\nX-Hop: 1\r\nupgrade: WebSocket\r\nX-A: 1\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  assert.equal(
    await upstream.takeThrough('\r\n\r\n'),
    'GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n',
  );
  upstream.send(
    'HTTP/1.1 101 Changed\r\nUpgrade: websocket\r\nConnection: upgrade, x-hop\r\nX-Hop: 1\r\nContent-Length: 5\r\nSec-WebSocket-Accept: s\r\n\r\n',
  );
  const answer = await readMessage(client, { withoutBody: true });
  assert.equal(answer.startLine, 'HTTP/1.1 101 Changed');
  assert.equal(answer.header('sec-websocket-accept'), 's');
  assert.equal(answer.header('connection'), 'upgrade');
  assert.equal(answer.header('upgrade'), 'WebSocket');
  assert.equal(answer.header('request-name'), '1');
  assert.equal(answer.header('server'), 'Portcullis');
  assert.equal(answer.header('content-length'), undefined);
  assert.equal(answer.header('x-hop'), undefined);
});

describe('an offer that may not go on is left out and the request is an ordinary one', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['h2c', 'HTTP/1.1', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'],
    ['h2c with capitals', 'HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: H2C\r\n'],
    ['HTTP by its own name', 'HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n'],
    ['several protocols', 'HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n'],
    ['several fields', 'HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n'],
    ['no protocol', 'HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: \r\n'],
    ['what is no token', 'HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: a b\r\n'],
    ['an offer that Connection does not name', 'HTTP/1.1', 'Upgrade: websocket\r\n'],
    ['Connection without an offer', 'HTTP/1.1', 'Connection: upgrade\r\n'],
    ['HTTP/1.0', 'HTTP/1.0', 'Connection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n'],
    ['a body', 'HTTP/1.1', 'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi'],
  ];
  for (const [name, version, fields] of cases) {
    test(name, async (t) => {
      const proxy = await startTunnels(t);
      const client = await proxy.client();
      client.send(`GET / ${version}\r\nHost: a\r\n${fields}${fields.includes('\r\n\r\n') ? '' : '\r\n'}`);
      const upstream = await proxy.upstream.connection();
      assert.doesNotMatch(await upstream.takeThrough('\r\n\r\n'), /upgrade|connection|settings/i);
      upstream.send(SWITCH);
      assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 502 Bad Gateway');
      assert.deepEqual(await end(proxy), [502, 'bad_upstream_response']);
    });
  }

  test('a plan that does not allow it', async (t) => {
    const proxy = await startProxy(t);
    const client = await proxy.client();
    client.send(ASK);
    const upstream = await proxy.upstream.connection();
    assert.equal(await upstream.takeThrough('\r\n\r\n'), 'GET /chat HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: abc\r\n\r\n');
    upstream.send(OK);
    assert.equal((await readMessage(client)).header('connection'), undefined);
  });
});

describe('a 101 that does not accept what was offered is a bad response', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['another protocol', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n'],
    ['none', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n'],
    ['two', 'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n\r\n'],
    ['in HTTP/1.0', 'HTTP/1.0 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ];
  for (const [name, response] of cases) {
    test(name, async (t) => {
      const proxy = await startTunnels(t);
      const client = await proxy.client();
      client.send(`${ASK}early`);
      const upstream = await proxy.upstream.connection();
      assert.equal(await upstream.takeThrough('\r\n\r\n'), ASKED);
      upstream.send(response);
      const answer = await readMessage(client);
      assert.equal(answer.startLine, 'HTTP/1.1 502 Bad Gateway');
      assert.equal(answer.header('connection'), 'close');
      assert.equal(await upstream.takeRest(), '');
      assert.equal(await client.takeRest(), '');
      assert.deepEqual(await end(proxy), [502, 'bad_upstream_response']);
    });
  }
});

test('nothing behind the head goes up before 101; then all goes through in order, both ways', async (t) => {
  const proxy = await startTunnels(t);
  const client = await proxy.client();
  client.send(`${ASK}first `);
  const upstream = await proxy.upstream.connection();
  assert.equal(await upstream.takeThrough('\r\n\r\n'), ASKED);
  client.send('second ');
  await turns(20);
  assert.equal(upstream.received.length, 0);
  upstream.send(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${SWITCH}hello `);
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 103 /);
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 101 /);
  assert.equal(await client.takeThrough('hello '), 'hello ');
  assert.equal(await upstream.takeThrough('second '), 'first second ');
  client.send('third');
  upstream.send('world');
  assert.equal(await upstream.takeThrough('third'), 'third');
  assert.equal(await client.takeThrough('world'), 'world');
  client.socket.end();
  assert.equal(await upstream.takeRest(), '');
  upstream.socket.end();
  assert.equal(await client.takeRest(), '');
  const [finished] = await proxy.handler.whenFinished(1);
  assert.deepEqual([finished?.status, finished?.upstreamStatus, finished?.reason], [101, 101, undefined]);
  assert.equal(finished?.bytesFromClient, ASK.length + 'first second third'.length);
  await proxy.server.whenIdle();
  assert.equal(proxy.server.exchangesInFlight, 0);
});

test('an answer other than 101 is an ordinary one and the connection serves nothing else', async (t) => {
  const proxy = await startTunnels(t);
  const client = await proxy.client();
  client.send(`${ASK}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
  const upstream = await proxy.upstream.connection();
  assert.equal(await upstream.takeThrough('\r\n\r\n'), ASKED);
  upstream.send(OK);
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 200 OK');
  assert.equal(answer.header('connection'), 'close');
  assert.equal(answer.header('upgrade'), undefined);
  assert.equal(answer.body.toString(), 'ok');
  client.send('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal(await client.takeRest(), '');
  assert.equal(upstream.received.length, 0);
  assert.deepEqual(await end(proxy), [200, undefined]);
});

test('each direction ends by itself', async (t) => {
  const proxy = await startTunnels(t);
  const first = await join(proxy);
  first.client.socket.end();
  assert.equal(await first.upstream.takeRest(), '');
  first.upstream.send('still here');
  assert.equal(await first.client.takeThrough('still here'), 'still here');
  first.upstream.socket.end();
  await first.client.whenClosed();
  assert.deepEqual(await end(proxy), [101, undefined]);

  const second = await join(proxy);
  second.upstream.socket.end();
  assert.equal(await second.client.takeRest(), '');
  second.client.send('more');
  assert.equal((await second.upstream.takeBytes(4)).toString(), 'more');
  second.client.socket.end();
  await second.upstream.whenClosed();
  assert.deepEqual((await proxy.handler.whenFinished(2))[1]?.reason, undefined);
});

test('what the client sent before it closed reaches an upstream that reads late', async (t) => {
  const proxy = await startTunnels(t);
  const { client, upstream } = await join(proxy);
  upstream.socket.pause();
  upstream.socket.end();
  assert.equal(await client.takeRest(), '');
  const check = new PatternCheck(3);
  let sent = 0;
  while (sent < 4 * 1024 * 1024 || client.socket.writableLength === 0) {
    client.send(patternBytes(3, sent, PIECE));
    sent += PIECE;
    await turns(3);
  }
  client.socket.end();
  await turns(20);
  upstream.socket.resume();
  await upstream.whenClosed();
  check.take(upstream.received);
  assert.equal(check.offset, sent);
  assert.deepEqual(await end(proxy), [101, undefined]);
});

test('a client that breaks off resets the upstream', async (t) => {
  const proxy = await startTunnels(t);
  const { client, upstream } = await join(proxy);
  client.socket.resetAndDestroy();
  await upstream.whenClosed();
  assert.equal(upstream.failure, 'ECONNRESET');
  assert.deepEqual(await end(proxy), [101, 'client_aborted']);
});

test('an upstream that breaks off resets the client', async (t) => {
  const proxy = await startTunnels(t);
  const { client, upstream } = await join(proxy);
  upstream.socket.resetAndDestroy();
  await client.whenClosed();
  assert.equal(client.failure, 'ECONNRESET');
  assert.deepEqual(await end(proxy), [101, 'upstream_truncated']);
});

for (const [from, to] of [
  ['client', 'upstream'],
  ['upstream', 'client'],
] as const) {
  test(`a slow ${to} holds the ${from} back and gets every byte`, async (t) => {
    const proxy = await startTunnels(t);
    const joined = await join(proxy);
    const [source, sink] = [joined[from].socket, joined[to].socket];
    sink.pause();
    let held = false;
    for (let index = 0; index < PIECES; index++) {
      if (!source.write(patternBytes(1, index * PIECE, PIECE))) {
        await turns(5);
        held ||= source.writableLength > PIECE;
      }
    }
    assert.ok(held, 'the source was never held back');
    const check = new PatternCheck(1);
    sink.removeAllListeners('data');
    sink.on('data', (bytes: Buffer) => {
      check.take(bytes);
      sink.pause();
      setImmediate(() => sink.resume());
    });
    source.end();
    sink.resume();
    await once(sink, 'end');
    assert.equal(check.offset, PIECE * PIECES);
    sink.end();
    assert.deepEqual(await end(proxy), [101, undefined]);
  });
}

test('a tunnel without a byte either way ends after the read time-out, one in use does not', async (t) => {
  const proxy = await startTunnels(t);
  const { client, upstream } = await join(proxy);
  for (let round = 0; round < 3; round++) {
    proxy.clock.advance(20_000);
    client.send('x');
    await upstream.takeBytes(1);
    proxy.clock.advance(20_000);
    upstream.send('y');
    await client.takeBytes(1);
  }
  proxy.clock.advance(31_000);
  await Promise.all([client.whenClosed(), upstream.whenClosed()]);
  assert.deepEqual(await end(proxy), [101, 'tunnel_idle']);
});

test('a side that takes nothing ends the tunnel in its own time', async (t) => {
  for (const [slow, reason] of [
    ['upstream', 'upstream_send_timeout'],
    ['client', 'client_write_timeout'],
  ] as const) {
    const proxy = await startTunnels(t);
    const joined = await join(proxy);
    const source = slow === 'client' ? joined.upstream : joined.client;
    joined[slow].socket.pause();
    while (source.socket.writableLength < 4 * PIECE) {
      source.send(Buffer.alloc(PIECE));
      await turns(5);
    }
    for (let round = 0; round < 14; round++) {
      proxy.clock.advance(5_000);
      if (proxy.handler.finished.length > 0) break;
      joined[slow].send('.');
      await turns(5);
    }
    await source.whenClosed();
    assert.deepEqual(await end(proxy), [101, reason]);
  }
});

test('a drain leaves a tunnel alone until everything is ended', async (t) => {
  const proxy = await startTunnels(t);
  const { client, upstream } = await join(proxy);
  proxy.server.beginDrain();
  proxy.server.stopAccepting();
  await turns(10);
  client.send('ping');
  await upstream.takeThrough('ping');
  proxy.server.destroyAll();
  await proxy.server.whenIdle();
  await Promise.all([client.whenClosed(), upstream.whenClosed()]);
  assert.deepEqual(await end(proxy), [101, 'drain_timeout']);
});

test('whoever decided about the request can end its tunnel', async (t) => {
  const proxy = await startTunnels(t);
  const decide = proxy.handler.decide;
  let abort = (): void => {};
  proxy.handler.decide = (exchange) => {
    abort = () => exchange.abort('key_invalid');
    decide(exchange);
  };
  const { client, upstream } = await join(proxy);
  abort();
  await Promise.all([client.whenClosed(), upstream.whenClosed()]);
  assert.deepEqual(await end(proxy), [101, 'key_invalid']);
  abort();
});

test('a tunnel, and an answer that lasts, ends when the handler objects, of which it is asked every two seconds at most', async (t) => {
  const proxy = await startTunnels(t);
  const { client, upstream } = await join(proxy);
  const other = await proxy.client();
  other.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
  const events = await proxy.upstream.connection();
  await events.takeThrough('\r\n\r\n');
  events.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
  await other.takeThrough('hi\r\n');
  let asked = 0;
  proxy.handler.objection = () => {
    asked++;
    return undefined;
  };
  proxy.clock.advance(1_500);
  assert.equal(asked, 0);
  proxy.clock.advance(10_000);
  assert.equal(asked, 2 * 5);
  proxy.handler.objection = (exchange) => (exchange.status === 101 ? 'credential_revoked' : 'credential_expired');
  proxy.clock.advance(2_500);
  await Promise.all([client.takeRest(), upstream.takeRest(), other.takeRest(), events.takeRest()]);
  const finished = await proxy.handler.whenFinished(2);
  assert.deepEqual(finished.map(({ status, reason }) => `${status} ${reason}`).sort(), [
    '101 credential_revoked',
    '200 credential_expired',
  ]);
});

test('a request that waits for its answer is told why it gets none, and a handler that fails to say ends nothing', async (t) => {
  const proxy = await startTunnels(t);
  const client = await proxy.client();
  client.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  proxy.handler.objection = () => {
    throw new Error('no');
  };
  proxy.clock.advance(3_000);
  assert.ok(proxy.failures.length > 0);
  proxy.failures.length = 0;
  proxy.handler.objection = () => 'credential_revoked';
  proxy.clock.advance(3_000);
  assert.match(await client.takeThrough('\r\n\r\n'), /^HTTP\/1\.1 401 /);
  await upstream.takeRest();
});
