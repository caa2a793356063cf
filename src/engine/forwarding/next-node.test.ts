import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { createSecureContext, createServer } from 'node:tls';
import { TestAuthority } from '../../../test-support/test-authority.ts';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy, startUpstream } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const KEEP_ALIVE = { size: 1, idleTimeoutMs: 1000, requests: 10 };
const TLS: UpstreamTls = {
  identity: { key: 'none', secureContext: createSecureContext(), verifies: false, protocols: [], onFailed: () => {} },
  serverName: undefined,
  peerName: '127.0.0.1',
};

test('an idempotent request that is not answered in time, or whose connection breaks, goes to the next node', async (t) => {
  const proxy = await startProxy(t);
  const second = await startUpstream(t);
  proxy.handler.decide = (exchange) => {
    const targets = [proxy.target, proxy.pool.target('127.0.0.1', second.port)];
    exchange.forward(
      planTo(proxy.target, { readTimeoutMs: 3000, nextTarget: (attempt, failure) => targets[attempt] ?? failure ?? 'internal' }),
    );
  };
  for (const fail of ['time', 'reset'] as const) {
    const client = await proxy.client();
    client.send(GET);
    const first = await proxy.upstream.connection();
    await first.takeThrough('\r\n\r\n');
    if (fail === 'time') proxy.clock.advance(4000);
    else first.socket.resetAndDestroy();
    const next = await second.connection();
    await next.takeThrough('\r\n\r\n');
    next.send('HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    const answer = await readMessage(client);
    assert.equal(answer.startLine, 'HTTP/1.1 500 No');
    assert.equal(answer.header('x-apisix-upstream-status'), fail === 'time' ? '504, 500' : '502, 500');
  }
});

test('one that is not idempotent does not, and the answer tells the attempt', async (t) => {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) =>
    exchange.forward(
      planTo(proxy.target, { readTimeoutMs: 3000, nextTarget: (attempt) => (attempt === 0 ? proxy.target : assert.fail('asked again')) }),
    );
  const client = await proxy.client();
  client.send(GET.replace('GET', 'POST'));
  await (await proxy.upstream.connection()).takeThrough('\r\n\r\n');
  proxy.clock.advance(4000);
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 504 Gateway Timeout');
  assert.equal(answer.header('x-apisix-upstream-status'), '504');
});

test('a node that cannot be connected to in time is followed by the next, whatever the method, and without one is a 504', async (t) => {
  const proxy = await startProxy(t);
  const second = await startUpstream(t);
  // It accepts, and does not answer the handshake.
  const silent = proxy.pool.target('127.0.0.1', proxy.upstream.port, KEEP_ALIVE, TLS);
  let targets = [silent, proxy.pool.target('127.0.0.1', second.port)];
  proxy.handler.decide = (exchange) =>
    exchange.forward(
      planTo(silent, { connectTimeoutMs: 3000, nextTarget: (attempt, failure) => targets[attempt] ?? failure ?? 'internal' }),
    );
  const client = await proxy.client();
  const request = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
  client.send(request);
  const first = await proxy.upstream.connection();
  proxy.clock.advance(2500);
  assert.equal(second.connections.length, 0);
  proxy.clock.advance(1000);
  const next = await second.connection();
  assert.equal(await next.takeThrough('body'), request);
  next.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 200 OK');
  await first.takeRest();

  targets = [silent];
  client.send(request);
  await proxy.upstream.connection();
  proxy.clock.advance(3500);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 504 Gateway Timeout');
  const [, last] = await proxy.handler.whenFinished(2);
  assert.deepEqual([last?.status, last?.reason], [504, 'connect_timeout']);
});

test('where it is wanted every answer tells its attempts, whatever the upstream says of them', async (t) => {
  const proxy = await startProxy(t, { showUpstreamStatus: true });
  const client = await proxy.client();
  client.send(GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 201 Yes\r\nX-APISIX-Upstream-Status: 999\r\nContent-Length: 0\r\n\r\n');
  const answer = await readMessage(client);
  assert.deepEqual(
    answer.lines.filter((line) => line.toLowerCase().startsWith('x-apisix')),
    ['X-APISIX-Upstream-Status: 201'],
  );
});

/** A node that wants a certificate; in TLS 1.3 a client hears of that only when its first bytes are on their way. */
async function startRefusingNode(t: TestContext): Promise<number> {
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.issue({ commonName: 'node' });
  const node = createServer({ cert, key, requestCert: true, rejectUnauthorized: true, ca: authority.cert, minVersion: 'TLSv1.3' });
  node.on('tlsClientError', () => {});
  node.listen(0, '127.0.0.1');
  await once(node, 'listening');
  t.after(() => node.close());
  const address = node.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a body whose beginning is gone goes to no other node, where its rest would be a request of the client’s making', async (t) => {
  const proxy = await startProxy(t);
  const second = await startUpstream(t);
  const port = await startRefusingNode(t);
  const refusing = proxy.pool.target('127.0.0.1', port, KEEP_ALIVE, TLS);
  proxy.handler.decide = (exchange) => {
    const targets = [refusing, proxy.pool.target('127.0.0.1', second.port)];
    exchange.forward(planTo(refusing, { nextTarget: (attempt, failure) => targets[attempt] ?? failure ?? 'internal' }));
  };
  const client = await proxy.client();
  client.send('POST /public HTTP/1.1\r\nHost: a\r\nContent-Length: 71\r\n\r\nhello');
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 502 Bad Gateway');
  client.send('GET /admin HTTP/1.1\r\nHost: internal\r\nX-Consumer-Username: root\r\n\r\n');
  assert.equal(second.connections.length, 0);
});
