import assert from 'node:assert/strict';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { FLAG, FRAME, fieldBlock, frameBytes, Http2Frames } from '../testing/http2-frames.ts';
import { readAnswer } from '../testing/http2-proxy.ts';
import { answerHead, type Http2Upstream, requestOn, resetStream, startHttp2Upstream } from '../testing/http2-upstream.ts';
import { startEngine, type TestEngine } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';
import { CANCEL, ENHANCE_YOUR_CALM, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM } from './http2-codes.ts';

const FRAME_OF_GRPC = Buffer.from([0, 0, 0, 0, 1, 120]);
const STREAM_CLOSED = 5;

interface Chain extends TestEngine {
  readonly upstreams: readonly Http2Upstream[];
  readonly session: ClientHttp2Session;
}

/** A client of HTTP/2, the engine, and upstreams of HTTP/2, of which each attempt goes to the next. */
async function startChain(t: TestContext, count = 1): Promise<Chain> {
  const upstreams = await Promise.all(Array.from({ length: count }, () => startHttp2Upstream(t)));
  const engine = await startEngine(
    t,
    (exchange) => {
      const plan = planTo(targets[0] ?? assert.fail());
      exchange.forward({ ...plan, isDuplex: true, nextTarget: (attempt, failure) => targets[attempt] ?? failure ?? 'no_node' });
    },
    { http2Cleartext: true },
  );
  const targets = upstreams.map(({ port }) => engine.pool.target('127.0.0.1', port, undefined, undefined, true));
  const session = connect(`http://127.0.0.1:${engine.port}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  return { ...engine, upstreams, session };
}

function call(session: ClientHttp2Session, method = 'POST'): ClientHttp2Stream {
  const fields = { ':method': method, ':path': '/a.B/C', 'content-type': 'application/grpc', te: 'trailers' };
  return session.request(fields, { endStream: method === 'GET' });
}

test('a client is not ended for the answers that its upstream breaks off', async (t) => {
  const { session, upstreams } = await startChain(t);
  const perConnection = 1000;
  for (let number = 0; number < 1200; number++) {
    const stream = call(session, 'GET');
    const answer = readAnswer(stream);
    const upstream = await upstreams[0]?.connection(Math.floor(number / perConnection));
    assert.ok(upstream !== undefined);
    const id = (number % perConnection) * 2 + 1;
    await requestOn(upstream, id);
    answerHead(upstream, id);
    resetStream(upstream, id, CANCEL);
    const { rstCode } = await answer;
    assert.equal(rstCode, CANCEL, `request ${number}`);
  }
  assert.equal(session.destroyed, false);
});

for (const [name, code, status, grpcStatus, reason] of [
  ['CANCEL', CANCEL, 502, '1', 'upstream_cancelled'],
  ['ENHANCE_YOUR_CALM', ENHANCE_YOUR_CALM, 503, '8', 'upstream_calm'],
  ['INTERNAL_ERROR', INTERNAL_ERROR, 502, '13', 'upstream_reset'],
  ['STREAM_CLOSED', STREAM_CLOSED, 502, '13', 'upstream_reset'],
  ['NO_ERROR without an answer', NO_ERROR, 502, '13', 'upstream_reset'],
] as const) {
  test(`a call that its upstream ends by ${name} is answered with what gRPC makes of that, and made once`, async (t) => {
    const { session, upstreams, handler } = await startChain(t, 2);
    const stream = call(session);
    const answer = readAnswer(stream);
    stream.end(FRAME_OF_GRPC);
    const upstream = await upstreams[0]?.connection(0);
    assert.ok(upstream !== undefined);
    await requestOn(upstream, 1);
    resetStream(upstream, 1, code);
    const got = await answer;
    assert.deepEqual([got.status, got.trailers['grpc-status'] ?? got.headers['grpc-status']], [status, grpcStatus]);
    assert.equal((await handler.whenFinished(1))[0]?.reason, reason);
    assert.equal(upstreams[1]?.connections.length, 0);
  });
}

for (const [name, code, mirrored, reason] of [
  ['CANCEL', CANCEL, CANCEL, 'upstream_cancelled'],
  ['ENHANCE_YOUR_CALM', ENHANCE_YOUR_CALM, ENHANCE_YOUR_CALM, 'upstream_calm'],
  ['INTERNAL_ERROR', INTERNAL_ERROR, INTERNAL_ERROR, 'upstream_truncated'],
  ['NO_ERROR without its end', NO_ERROR, INTERNAL_ERROR, 'upstream_truncated'],
  ['REFUSED_STREAM, which would promise that nothing was done,', REFUSED_STREAM, INTERNAL_ERROR, 'upstream_truncated'],
] as const) {
  test(`an answer that breaks off by ${name} breaks off so at the client, or by what is true there`, async (t) => {
    const { session, upstreams, handler } = await startChain(t);
    const stream = call(session);
    const answer = readAnswer(stream);
    stream.end(FRAME_OF_GRPC);
    const upstream = await upstreams[0]?.connection(0);
    assert.ok(upstream !== undefined);
    await requestOn(upstream, 1);
    const begun = new Promise((resolve) => stream.once('data', resolve));
    answerHead(upstream, 1);
    upstream.send(FRAME.data, 0, 1, FRAME_OF_GRPC);
    await begun;
    resetStream(upstream, 1, code);
    const got = await answer;
    assert.deepEqual([got.status, got.rstCode], [200, mirrored]);
    assert.equal((await handler.whenFinished(1))[0]?.reason, reason);
  });
}

test('a request that one upstream refuses again and again goes to the next one, if nothing of it is missing', async (t) => {
  const { session, upstreams } = await startChain(t, 2);
  const answer = readAnswer(call(session, 'GET'));
  const first = await upstreams[0]?.connection(0);
  const second = upstreams[1]?.connection(0);
  assert.ok(first !== undefined && second !== undefined);
  for (const number of [1, 3, 5]) {
    await requestOn(first, number);
    resetStream(first, number, REFUSED_STREAM);
  }
  const other = await second;
  await requestOn(other, 1);
  answerHead(other, 1, true);
  const got = await answer;
  assert.deepEqual([got.status, got.headers['grpc-status']], [200, '7']);
});

test('a body that comes byte by byte is not kept to be sent again, which would take a hundred times its length', async (t) => {
  const { port, upstreams } = await startChain(t);
  const client = new Http2Frames(connectSocket({ host: '127.0.0.1', port }));
  t.after(() => client.socket.destroy());
  client.begin();
  const fields = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', 'a'],
    [':path', '/a.B/C'],
    ['content-type', 'application/grpc'],
  ] as const;
  client.request(1, fields, false);
  const upstream = await upstreams[0]?.connection(0);
  assert.ok(upstream !== undefined);
  await requestOn(upstream, 1, false);
  const byte = frameBytes(FRAME.data, 0, 1, Buffer.from([0]));
  const end = frameBytes(FRAME.data, FLAG.endStream, 1, Buffer.alloc(0));
  client.socket.write(Buffer.concat([...Array.from({ length: 1000 }, () => byte), end]));
  await requestOn(upstream, 1);
  resetStream(upstream, 1, REFUSED_STREAM);
  assert.equal(await client.status(1), 503);
  assert.equal(upstream.received.filter(({ type }) => type === FRAME.headers).length, 1);
});

for (const status of ['100', '103']) {
  test(`a call that its upstream has begun, as a status ${status} says, is not made again whatever its reset claims`, async (t) => {
    const { session, upstreams } = await startChain(t, 2);
    const stream = call(session);
    const answer = readAnswer(stream);
    stream.end(FRAME_OF_GRPC);
    const upstream = await upstreams[0]?.connection(0);
    assert.ok(upstream !== undefined);
    await requestOn(upstream, 1);
    upstream.send(FRAME.headers, FLAG.endHeaders, 1, fieldBlock([[':status', status]]));
    resetStream(upstream, 1, REFUSED_STREAM);
    assert.equal((await answer).status, 502);
    assert.equal(upstream.received.filter(({ type }) => type === FRAME.headers).length, 1);
    assert.equal(upstreams[1]?.connections.length, 0);
  });
}

test('a call that is refused for good is UNAVAILABLE, with a reason of its own', async (t) => {
  const { session, upstreams, handler } = await startChain(t);
  const stream = call(session);
  const answer = readAnswer(stream);
  stream.end(FRAME_OF_GRPC);
  const upstream = await upstreams[0]?.connection(0);
  assert.ok(upstream !== undefined);
  for (const number of [1, 3, 5]) {
    await requestOn(upstream, number);
    resetStream(upstream, number, REFUSED_STREAM);
  }
  const got = await answer;
  assert.deepEqual([got.status, got.trailers['grpc-status'], got.headers['retry-after']], [503, '14', '1']);
  assert.equal((await handler.whenFinished(1))[0]?.reason, 'upstream_refused_stream');
});

test('a whole answer counts although the upstream wants no more of the request, and the client is told so in order', async (t) => {
  const { session, upstreams, handler } = await startChain(t);
  const stream = call(session);
  const answer = readAnswer(stream);
  stream.write(FRAME_OF_GRPC);
  const upstream = await upstreams[0]?.connection(0);
  assert.ok(upstream !== undefined);
  await requestOn(upstream, 1, false);
  answerHead(upstream, 1);
  upstream.send(FRAME.data, 0, 1, FRAME_OF_GRPC);
  upstream.send(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, fieldBlock([['grpc-status', '0']]));
  resetStream(upstream, 1, NO_ERROR);
  const got = await answer;
  assert.deepEqual([got.status, got.trailers['grpc-status'], got.rstCode], [200, '0', NO_ERROR]);
  assert.ok(got.body.equals(FRAME_OF_GRPC));
  assert.equal((await handler.whenFinished(1))[0]?.reason, undefined);
});

const isPing = ({ type, flags }: { readonly type: number; readonly flags: number }): boolean => type === FRAME.ping && flags === 0;

test('an upstream that has vanished is found by a PING, and its requests go elsewhere or fail', async (t) => {
  const { session, upstreams, clock } = await startChain(t, 2);
  const [first, second] = upstreams;
  assert.ok(first !== undefined && second !== undefined);
  const post = call(session);
  const failed = readAnswer(post);
  post.end(FRAME_OF_GRPC);
  const connection = await first.connection(0);
  await requestOn(connection, 1);
  const repeated = readAnswer(call(session, 'GET'));
  await requestOn(connection, 3);
  clock.advance(12_000);
  assert.ok((await connection.frame(isPing)) !== undefined);
  clock.advance(8_000);
  const other = await second.connection(0);
  await requestOn(other, 1);
  answerHead(other, 1, true);
  assert.equal((await repeated).status, 200);
  const got = await failed;
  assert.deepEqual([got.status, got.trailers['grpc-status']], [502, '14']);
  await connection.whenClosed();
});

test('an upstream that answers PINGs may take its time', async (t) => {
  const { session, upstreams, clock } = await startChain(t);
  const answer = readAnswer(call(session, 'GET'));
  const connection = await upstreams[0]?.connection(0);
  assert.ok(connection !== undefined);
  await requestOn(connection, 1);
  clock.advance(12_000);
  const ping = await connection.frame(isPing);
  connection.send(FRAME.ping, FLAG.ack, 0, ping?.payload);
  // Frames of one connection are read in order: what is asked behind the answer is answered behind it.
  connection.send(FRAME.ping, 0, 0, Buffer.alloc(8));
  assert.ok(
    (await connection.frame(({ type, flags, payload }) => type === FRAME.ping && flags === FLAG.ack && !payload.some(Boolean))) !==
      undefined,
  );
  clock.advance(20_000);
  answerHead(connection, 1, true);
  assert.equal((await answer).status, 200);
});
