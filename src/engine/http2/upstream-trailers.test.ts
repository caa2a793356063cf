import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { DEFAULT_ENGINE_LIMITS } from '../engine-options.ts';
import { FLAG, FRAME, fieldBlock } from '../testing/http2-frames.ts';
import { readAnswer } from '../testing/http2-proxy.ts';
import { answerHead, requestOn, startHttp2Upstream } from '../testing/http2-upstream.ts';
import { readMessage } from '../testing/message-reader.ts';
import { startEngine, startUpstream } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';
import { INTERNAL_ERROR } from './http2-codes.ts';

/** Longer than what is read at once. */
const LONG = 'd'.repeat(60_000);
const TOO_LONG = 'd'.repeat(DEFAULT_ENGINE_LIMITS.responseHeadBytes);

/** An engine whose upstream answers a call of gRPC by a byte and these trailer fields, in HTTP/2 or, as here, in HTTP/1.1. */
async function startAnswering(t: TestContext, trailers: readonly (readonly [string, string])[], inHttp2: boolean) {
  const options = { http2Cleartext: true, ownResponseFields: ['Own-Id'] };
  const http2 = await startHttp2Upstream(t);
  const old = await startUpstream(t);
  const engine = await startEngine(t, (exchange) => exchange.forward(planTo(target)), options);
  const target = engine.pool.target('127.0.0.1', inHttp2 ? http2.port : old.port, undefined, undefined, inHttp2);
  const answer = async (): Promise<void> => {
    if (!inHttp2) {
      const upstream = await old.connection();
      await upstream.takeThrough('\r\n\r\n');
      const lines = trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n';
      upstream.send(`${head}1\r\nx\r\n0\r\n${lines}\r\n`);
      return;
    }
    const frames = await http2.connection(0);
    await requestOn(frames, 1);
    answerHead(frames, 1);
    frames.send(FRAME.data, 0, 1, Buffer.from('x'));
    frames.block(1, fieldBlock(trailers), true);
    await frames.frame(({ type, flags }) => type === FRAME.settings && (flags & FLAG.ack) !== 0);
  };
  const session = connect(`http://127.0.0.1:${engine.port}`, { settings: { maxHeaderListSize: 1024 * 1024 }, maxHeaderListPairs: 200 });
  session.on('error', () => {});
  t.after(() => session.destroy());
  const overHttp2 = async () => {
    const got = readAnswer(session.request({ ':path': '/', te: 'trailers' }));
    await answer();
    return await got;
  };
  const overHttp1 = async () => {
    const client = await engine.client();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await answer();
    return await readMessage(client);
  };
  return { overHttp2, overHttp1 };
}

for (const inHttp2 of [true, false]) {
  const upstream = inHttp2 ? 'an upstream of HTTP/2' : 'an upstream of HTTP/1.1';

  test(`what ${upstream} says behind a body may be as long as what it may say in front`, async (t) => {
    const trailers = [
      ['grpc-status', '3'],
      ['grpc-status-details-bin', LONG],
    ] as const;
    const { body, trailers: got } = await (await startAnswering(t, trailers, inHttp2)).overHttp2();
    assert.equal(body.toString(), 'x');
    assert.equal(got['grpc-status'], '3');
    assert.equal(got['grpc-status-details-bin'], LONG);
    const message = await (await startAnswering(t, trailers, inHttp2)).overHttp1();
    assert.deepEqual(message.trailers, ['grpc-status: 3', `grpc-status-details-bin: ${LONG}`]);
  });

  test(`${upstream} that says more behind a body is cut`, async (t) => {
    const { rstCode, trailers } = await (await startAnswering(t, [['grpc-message', TOO_LONG]], inHttp2)).overHttp2();
    assert.equal(rstCode, INTERNAL_ERROR);
    assert.deepEqual({ ...trailers }, {});
  });

  test(`${upstream} cannot say behind a body what only the gateway says`, async (t) => {
    const trailers = [
      ['own-id', 'forged'],
      ['server', 'forged'],
      ['x-apisix-upstream-status', '200'],
      ['grpc-status', '0'],
    ] as const;
    const { trailers: got } = await (await startAnswering(t, trailers, inHttp2)).overHttp2();
    assert.deepEqual(Object.keys(got), ['grpc-status']);
    const message = await (await startAnswering(t, trailers, inHttp2)).overHttp1();
    assert.deepEqual(message.trailers, ['grpc-status: 0']);
  });
}
