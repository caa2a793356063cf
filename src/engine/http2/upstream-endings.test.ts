import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { FLAG, FRAME, type Frame, fieldBlock, type Http2Frames } from '../testing/http2-frames.ts';
import { type Http2Answer, readAnswer } from '../testing/http2-proxy.ts';
import { answerHead, type Http2Upstream, requestOn, resetStream, startHttp2Upstream } from '../testing/http2-upstream.ts';
import { startEngine, type TestEngine } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';
import { testTransport } from '../testing/test-transport.ts';
import { http2Dial } from './dial-http2.ts';
import { HpackDecoder } from './hpack/hpack-decoder.ts';
import { HPACK } from './hpack/hpack-outcome.ts';
import { CANCEL, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM } from './http2-codes.ts';
import { StoredBytes } from './session/stored-bytes.ts';
import { UpstreamSessions } from './upstream-sessions.ts';
import { UpstreamStream } from './upstream-stream.ts';

interface Attempt extends TestEngine {
  readonly upstream: Http2Upstream;
  readonly answer: Promise<Http2Answer>;
  /** The connection on which stream 1 is a whole request. */
  readonly connection: Http2Frames;
}

/** A POST that has reached the upstream, through the engine, which has no other one. */
async function startAttempt(t: TestContext): Promise<Attempt> {
  const upstream = await startHttp2Upstream(t);
  const engine = await startEngine(
    t,
    (exchange) =>
      exchange.forward({
        ...planTo(target),
        isDuplex: true,
        nextTarget: (attempt, failure) => (attempt === 0 ? target : (failure ?? 'no_node')),
      }),
    { http2Cleartext: true },
  );
  const target = engine.pool.target('127.0.0.1', upstream.port, undefined, undefined, true);
  const session = connect(`http://127.0.0.1:${engine.port}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  const stream = session.request({ ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc', te: 'trailers' });
  const answer = readAnswer(stream);
  stream.end('order');
  const connection = await upstream.connection(0);
  await requestOn(connection, 1);
  return { ...engine, upstream, answer, connection };
}

function goAway(frames: Http2Frames, lastStream: number, code: number): void {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStream);
  payload.writeUInt32BE(code, 4);
  frames.send(FRAME.goaway, 0, 0, payload);
}

for (const code of [REFUSED_STREAM, INTERNAL_ERROR]) {
  test(`a request that a GOAWAY of code ${code} covers may have been begun, and is not sent again`, async (t) => {
    const { upstream, answer, connection, handler } = await startAttempt(t);
    goAway(connection, 1, code);
    const got = await answer;
    assert.deepEqual([got.status, got.trailers['grpc-status']], [502, '14']);
    assert.equal((await handler.whenFinished(1))[0]?.reason, 'upstream_closed');
    assert.equal(upstream.connections.length, 1);
  });
}

test('a request behind the last one of a GOAWAY of REFUSED_STREAM is sent again', async (t) => {
  const { upstream, answer, connection } = await startAttempt(t);
  goAway(connection, 0, REFUSED_STREAM);
  const next = await upstream.connection(1);
  await requestOn(next, 1);
  answerHead(next, 1, true);
  assert.equal((await answer).status, 200);
});

test('a request that an interim answer has come for was begun, and is not sent again whatever its upstream says', async (t) => {
  const { upstream, answer, connection, handler } = await startAttempt(t);
  connection.send(FRAME.headers, FLAG.endHeaders, 1, fieldBlock([[':status', '103']]));
  resetStream(connection, 1, REFUSED_STREAM);
  assert.equal((await answer).status, 502);
  assert.equal((await handler.whenFinished(1))[0]?.reason, 'upstream_reset');
  const heads = upstream.connections.flatMap(({ received }) => received.filter(({ type }) => type === FRAME.headers));
  assert.equal(heads.length, 1);
});

test('trailer fields of a request reach the upstream behind its body, and a call that is cancelled there harms nobody', async (t) => {
  const upstream = await startHttp2Upstream(t);
  const engine = await startEngine(t, (exchange) => exchange.forward({ ...planTo(target), isDuplex: true }), { http2Cleartext: true });
  const target = engine.pool.target('127.0.0.1', upstream.port, undefined, undefined, true);
  const session = connect(`http://127.0.0.1:${engine.port}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  const fields = { ':method': 'POST', ':path': '/', 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(fields, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }));
  const answer = readAnswer(stream);
  stream.end('order');
  const connection = await upstream.connection(0);
  const last = await connection.frame(({ type, flags }) => type === FRAME.headers && (flags & FLAG.endStream) !== 0);
  assert.deepEqual(readFields(last), ['x-sum', '42']);
  answerHead(connection, 1, true);
  assert.equal((await answer).status, 200);
  const cancelled = session.request(fields, { waitForTrailers: true });
  cancelled.on('error', () => {});
  cancelled.write('order');
  await requestOn(connection, 3, false);
  cancelled.close(CANCEL);
  assert.notEqual(await connection.frame(({ type, stream: on }) => type === FRAME.rstStream && on === 3), undefined);
});

/** Of a block that comes behind another one, which the decoder has to have seen in order to read it; here it refers to nothing. */
function readFields(frame: Frame | undefined): string[] {
  const fields: string[] = [];
  const { payload } = frame ?? { payload: Buffer.alloc(0) };
  const decoder = new HpackDecoder({ tableBytes: 4096, listBytes: 1000, pairs: 10 });
  assert.equal(decoder.decode(payload, 0, payload.length, fields), HPACK.done);
  return fields;
}

for (const isAcknowledged of [true, false]) {
  test(`an upload that goes on is not asked whether anybody is there, ${isAcknowledged ? 'with' : 'without'} a word from its upstream`, async (t) => {
    const upstream = await startHttp2Upstream(t);
    const engine = await startEngine(t, (exchange) => exchange.forward({ ...planTo(target), isDuplex: true }), { http2Cleartext: true });
    const target = engine.pool.target('127.0.0.1', upstream.port, undefined, undefined, true);
    const session = connect(`http://127.0.0.1:${engine.port}`);
    session.on('error', () => {});
    t.after(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    const answer = readAnswer(stream);
    const connection = await upstream.connection(0);
    await requestOn(connection, 1, false);
    const window = Buffer.alloc(4);
    const widen = (bytes: number): void => {
      window.writeUInt32BE(bytes);
      for (const on of [0, 1]) connection.send(FRAME.windowUpdate, 0, on, window);
    };
    if (!isAcknowledged) widen(1_000_000);
    // Less than what is taken for progress by itself, where there are WINDOW_UPDATEs.
    const pieceBytes = isAcknowledged ? 100 : 20_000;
    let bytes = 0;
    const arrived = new Set<unknown>();
    for (let second = 0; second < 40; second++) {
      if (isAcknowledged) widen(pieceBytes);
      stream.write(Buffer.alloc(pieceBytes));
      const wanted = (second + 1) * pieceBytes;
      await connection.frame((frame) => {
        if (frame.type === FRAME.data && !arrived.has(frame)) {
          arrived.add(frame);
          bytes += frame.payload.length;
        }
        return bytes >= wanted;
      });
      engine.clock.advance(1_000);
    }
    stream.end();
    await requestOn(connection, 1);
    assert.equal(connection.received.filter(({ type }) => type === FRAME.ping).length, 0);
    answerHead(connection, 1, true);
    assert.equal((await answer).status, 200);
  });
}

for (const isWhole of [false, true]) {
  for (const isPaused of [false, true]) {
    const name = `${isWhole ? 'a whole' : 'a truncated'} answer reset by NO_ERROR ${isPaused ? 'behind a pause' : 'at once'}`;
    test(`${name} ends as ${isWhole ? 'whole' : 'broken off'}`, async (t) => {
      const upstream = await startHttp2Upstream(t);
      const reading = { transport: testTransport(), readBuffer: Buffer.alloc(64 * 1024) };
      const dial = http2Dial({ address: '127.0.0.1', port: upstream.port, tls: undefined }, { session: undefined }, reading);
      const keepAlive = { size: 10, idleTimeoutMs: 60_000, requests: 1000 };
      const share = { clock: new FakeClock(), keepAlive, ageMs: 3_600_000, stored: new StoredBytes(1024), onPlaceFree: () => {} };
      const sessions = new UpstreamSessions(dial, share);
      t.after(() => sessions.destroy());
      const room = Buffer.alloc(64 * 1024);
      let text = '';
      const closed = Promise.withResolvers<string | undefined>();
      const connected = Promise.withResolvers<void>();
      const receiver = {
        onBytes: (bytes: Buffer, length: number) => {
          text += bytes.toString('latin1', 0, length);
        },
        onEnd: () => {},
        onFlushed: () => {},
        onClose: closed.resolve,
      };
      const stream = new UpstreamStream({ sessions, scheme: 'http', nextReadBuffer: () => room }, receiver, connected.resolve);
      await connected.promise;
      stream.write(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
      const connection = await upstream.connection(0);
      await requestOn(connection, 1);
      if (isPaused) stream.pause();
      connection.send(FRAME.headers, FLAG.endHeaders, 1, fieldBlock([[':status', '200']]));
      connection.send(FRAME.data, isWhole ? FLAG.endStream : 0, 1, Buffer.from('half'));
      resetStream(connection, 1, NO_ERROR);
      // What is asked behind it is answered behind it.
      connection.send(FRAME.ping, 0, 0, Buffer.alloc(8));
      await connection.frame(({ type, flags }) => type === FRAME.ping && flags === FLAG.ack);
      stream.resume();
      assert.equal(await closed.promise, isWhole ? undefined : 'upstream_reset');
      assert.equal(text.includes('4\r\nhalf\r\n'), true);
      assert.equal(text.endsWith('0\r\n\r\n'), isWhole);
    });
  }
}
