import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage } from './testing/message-reader.ts';
import { startEngine, startProxy, type TestEngine } from './testing/test-engine.ts';
import { answerOf } from './testing/test-handler.ts';

const HOUR_MS = 3_600_000;
/** Three rounds are more than the kernel's buffers of one connection hold, so within a minute of them each side notices. */
const ROUND_BYTES = 4 * 1024 * 1024;

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/** Moves time in steps and does something in each, until a request has finished; how long that took. */
async function untilFinished(engine: TestEngine, stepMs: number, each: () => Promise<void>, limitMs = HOUR_MS): Promise<number> {
  const startMs = engine.clock.monotonicMs();
  while (engine.handler.finished.length === 0) {
    assert.ok(engine.clock.monotonicMs() - startMs < limitMs, 'it goes on for ever');
    await each();
    engine.clock.advance(stepMs);
  }
  return engine.clock.monotonicMs() - startMs;
}

async function onlyOutcome(engine: TestEngine): Promise<readonly [number, string | undefined]> {
  const [finished] = await engine.handler.whenFinished(1);
  return [finished?.status ?? -1, finished?.reason];
}

test('a head of which a byte comes now and then gets 408 after the time for heads', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, '')));
  const client = await engine.client();
  client.send('GET / HTTP/1.1\r\nX-Slow: ');
  while (engine.server.exchangesInFlight === 0) await turns(1);
  const tookMs = await untilFinished(engine, 5000, async () => {
    client.send('x');
    await turns(3);
  });
  assert.ok(tookMs <= 65_000, `it took ${tookMs} ms`);
  assert.deepEqual(await onlyOutcome(engine), [408, 'request_timeout']);
});

test('a body of which a byte comes now and then gets 408 and frees the upstream', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  const tookMs = await untilFinished(proxy, 30_000, async () => {
    client.send('x');
    await upstream.takeBytes(1);
  });
  assert.ok(tookMs > 60_000 && tookMs <= 120_000, `it took ${tookMs} ms`);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 408 Request Timeout');
  await upstream.takeRest();
  assert.deepEqual(await onlyOutcome(proxy), [408, 'request_timeout']);
});

test('a body that keeps the lowest rate may take for ever', async (t) => {
  const proxy = await startProxy(t, { timeouts: { bodyBytesPerSecond: 100 } });
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  for (let sent = 0; sent < 300_000; sent += 3000) {
    client.send('x'.repeat(3000));
    await upstream.takeBytes(3000);
    proxy.clock.advance(29_000);
  }
  upstream.send('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal((await readMessage(client, { withoutBody: true })).startLine, 'HTTP/1.1 204 No Content');
});

test('with the rate switched off a byte now and then is enough', async (t) => {
  const proxy = await startProxy(t, { timeouts: { bodyBytesPerSecond: 0 } });
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  for (let sent = 0; sent < 20; sent++) {
    client.send('x');
    await upstream.takeBytes(1);
    proxy.clock.advance(50_000);
  }
  assert.deepEqual(proxy.handler.finished, []);
});

test('a client is not blamed for an upstream that reads slowly', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  const size = 64 * 1024 * 1024;
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.socket.pause();
  client.send(Buffer.alloc(size));
  await turns(200);
  // The upstream takes a little each 40 s: within its own time-out, and far below the client's lowest rate.
  for (let round = 0; round < 8; round++) {
    upstream.socket.resume();
    await upstream.take((received) => (received.length < ROUND_BYTES ? undefined : received.length));
    upstream.socket.pause();
    await turns(20);
    proxy.clock.advance(40_000);
  }
  assert.deepEqual(
    proxy.handler.finished.map(({ reason }) => reason),
    [],
  );
});

test('the time in which the upstream did not read is not counted as slowness of the client', async (t) => {
  const proxy = await startProxy(t, { timeouts: { bodyBytesPerSecond: 1_000_000 } });
  const client = await proxy.client();
  const size = 4 * ROUND_BYTES;
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${8 * size}\r\n\r\n`);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  for (let round = 0; round < 6; round++) {
    upstream.socket.pause();
    client.send(Buffer.alloc(size));
    await turns(100);
    proxy.clock.advance(50_000);
    upstream.socket.resume();
    for (let left = size; left > 0; ) {
      left -= (await upstream.take((received) => (received.length === 0 ? undefined : Math.min(received.length, left)))).length;
    }
    proxy.clock.advance(500);
  }
  assert.deepEqual(
    proxy.handler.finished.map(({ reason }) => reason),
    [],
  );
});

test('the rest of a refused body that trickles in ends the connection', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(401, 'no')));
  const client = await engine.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 401 Unauthorized');
  const startMs = engine.clock.monotonicMs();
  while (!client.ended) {
    client.send('x');
    await turns(3);
    engine.clock.advance(20_000);
    await turns(3);
    assert.ok(engine.clock.monotonicMs() - startMs < 200_000, 'it goes on for ever');
  }
});

test('a client that takes little of its answer is cut off', async (t) => {
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, 'x'.repeat(32 * 1024 * 1024))), {
    timeouts: { answerBytesPerSecond: 1_000_000_000 },
  });
  const client = await engine.client();
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  while (engine.server.exchangesInFlight === 0) await turns(1);
  const tookMs = await untilFinished(engine, 10_000, async () => {
    // A piece each time, so that it is never silent.
    client.socket.resume();
    await turns(2);
    client.socket.pause();
  });
  assert.ok(tookMs > 60_000 && tookMs <= 80_000, `it took ${tookMs} ms`);
  assert.deepEqual(await onlyOutcome(engine), [200, 'client_write_timeout']);
});

test('a client that takes a large answer slowly and steadily gets all of it', async (t) => {
  const size = 8 * ROUND_BYTES;
  const engine = await startEngine(t, (exchange) => exchange.respond(answerOf(200, 'x'.repeat(size))));
  const client = await engine.client();
  client.socket.pause();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  while (engine.server.exchangesInFlight === 0) await turns(1);
  // The whole answer is one write, so only the bytes that the kernel took tell that the client goes on.
  for (let taken = 0; taken < size; ) {
    const wanted = Math.min(ROUND_BYTES, size - taken);
    client.socket.resume();
    taken += (await client.take((received) => (received.length < wanted ? undefined : received.length))).length;
    client.socket.pause();
    await turns(5);
    engine.clock.advance(20_000);
    assert.deepEqual(
      engine.handler.finished.map(({ reason }) => reason).filter((reason) => reason !== undefined),
      [],
    );
  }
  assert.deepEqual(await onlyOutcome(engine), [200, undefined]);
});
