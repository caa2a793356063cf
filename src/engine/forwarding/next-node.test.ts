import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy, startUpstream } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

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
