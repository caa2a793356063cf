import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import type { Http2Frames } from '../testing/http2-frames.ts';
import { type Http2Proxy, startHttp2Proxy } from '../testing/http2-proxy.ts';
import { answerOf } from '../testing/test-handler.ts';
import { testTransport } from '../testing/test-transport.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';

const GET = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
] as const;
const WINDOW_SETTING = 4;
const ANSWER_BYTES = 2_000;

/** A worker that may keep so many bytes, and a client that takes nothing of two answers. */
async function startStalled(t: TestContext, storedBytes: number): Promise<{ proxy: Http2Proxy; client: Http2Frames; pool: UpstreamPool }> {
  const clock = new FakeClock();
  const transport = testTransport();
  const pool = new UpstreamPool({ clock, transport, storedBytes });
  const proxy = await startHttp2Proxy(t, { pool, clock, transport });
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'x'.repeat(ANSWER_BYTES)));
  const client = await proxy.frames();
  client.begin([[WINDOW_SETTING, 0]]);
  for (const stream of [1, 3]) {
    client.request(stream, GET);
    assert.equal(await client.status(stream), 200);
  }
  assert.equal(pool.stored.total, ANSWER_BYTES * 2);
  // The clock is the pool's and the engine's.
  return { proxy: { ...proxy, clock }, client, pool };
}

test('while too much is kept, answers of which nothing is taken end early until there is room, and others are served', async (t) => {
  const { proxy, client, pool } = await startStalled(t, ANSWER_BYTES * 2);
  for (let sweep = 0; sweep < 12; sweep++) proxy.clock.advance(500);
  assert.notEqual(await client.errorCode(1), undefined);
  // No more end than it takes.
  assert.equal(pool.stored.total, ANSWER_BYTES);
  const other = await proxy.frames();
  other.begin();
  other.request(1, GET);
  assert.equal(await other.status(1), 200);
});

test('as long as there is room a slow client has the time that it always has', async (t) => {
  const { proxy, client, pool } = await startStalled(t, ANSWER_BYTES * 3);
  for (let sweep = 0; sweep < 40; sweep++) proxy.clock.advance(500);
  client.request(5, GET);
  assert.equal(await client.status(5), 200);
  assert.equal(
    client.received.some(({ type }) => type === 3),
    false,
  );
  assert.equal(pool.stored.total, ANSWER_BYTES * 3);
});

test('while too much is kept, a body of which its upstream takes nothing is given up early', async (t) => {
  const clock = new FakeClock();
  const transport = testTransport();
  const pool = new UpstreamPool({ clock, transport, storedBytes: 1000 });
  const proxy = await startHttp2Proxy(t, { pool, clock, transport });
  const client = await proxy.frames();
  client.begin();
  client.request(1, [[':method', 'POST'], ...GET.slice(1)], false);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.socket.pause();
  // As long as room is given the kernel, or the upstream's queue, still takes it.
  let sent = 0;
  while (pool.stored.total < 1000) {
    const given = client.received
      .filter(({ type, stream }) => type === 8 && stream === 1)
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_536);
    const whole = client.received
      .filter(({ type, stream }) => type === 8 && stream === 0)
      .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_535);
    const room = Math.min(16_384, given - sent, whole - sent);
    if (room > 0) client.send(0, 0, 1, Buffer.alloc(room));
    sent += room;
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let sweep = 0; sweep < 14; sweep++) clock.advance(500);
  assert.equal(await client.status(1), 504);
  assert.equal(proxy.handler.finished.at(-1)?.reason, 'upstream_send_timeout');
  await client.frame(({ type, flags, stream }) => stream === 1 && (type === 3 || (flags & 1) !== 0));
  assert.equal(pool.stored.total, 0);
});
