import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ByteStream } from '../testing/byte-stream.ts';
import { FLAG, FRAME, type Http2Frames } from '../testing/http2-frames.ts';
import { startHttp2Proxy } from '../testing/http2-proxy.ts';
import { planTo } from '../testing/test-handler.ts';
import { webSocketAccept } from './web-socket-accept.ts';

const INTERNAL_ERROR = 2;
const STREAM = 1;

/** A client that has asked for a WebSocket and said something already, and the upstream that was asked, with the key it got. */
async function askFor(t: TestContext): Promise<{ readonly client: Http2Frames; readonly upstream: ByteStream; readonly accept: string }> {
  const proxy = await startHttp2Proxy(t);
  proxy.handler.decide = (exchange) => exchange.forward(planTo(proxy.target, { allowsUpgrade: true }));
  const client = await proxy.frames();
  client.begin();
  client.request(
    STREAM,
    [
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      [':scheme', 'http'],
      [':authority', 'a.test'],
      [':path', '/chat'],
    ],
    false,
  );
  client.send(FRAME.data, 0, STREAM, Buffer.from('early'));
  const upstream = await proxy.upstream.connection();
  const head = await upstream.takeThrough('\r\n\r\n');
  const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(head)?.[1] ?? assert.fail(head);
  return { client, upstream, accept: webSocketAccept(key) };
}

const switching = (accept: string): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

/** What has come as data once it is as long as this. */
async function dataOf(client: Http2Frames, length: number): Promise<string> {
  const all = (): Buffer =>
    Buffer.concat(client.received.filter(({ type, stream }) => type === FRAME.data && stream === STREAM).map(({ payload }) => payload));
  await client.frame(() => all().length >= length);
  return all().toString('latin1');
}

test('what an upstream says in one piece with its 101 arrives, however much it is, and nothing of the client’s goes up before', async (t) => {
  const { client, upstream, accept } = await askFor(t);
  assert.equal(upstream.received.length, 0);
  // Longer than a frame, shorter than the window that the client gives at first.
  const first = 'first'.repeat(5_000);
  upstream.send(switching(accept) + first);
  assert.equal(await client.status(STREAM), 200);
  assert.equal(await dataOf(client, first.length), first);
  assert.equal((await upstream.takeBytes(5)).toString(), 'early');
  upstream.send('second');
  assert.equal(await dataOf(client, first.length + 6), `${first}second`);
  client.send(FRAME.data, FLAG.endStream, STREAM, Buffer.from('last'));
  assert.equal(await upstream.takeRest(), 'last');
  upstream.socket.end();
  const end = await client.frame(({ type, flags, stream }) => stream === STREAM && type === FRAME.data && (flags & FLAG.endStream) !== 0);
  assert.notEqual(end, undefined);
});

test('no WebSocket is opened by an upstream that proves nothing, or that answers as if there were none', async (t) => {
  const { client, upstream } = await askFor(t);
  upstream.send(`${switching('AAAA')}first`);
  assert.equal(await client.errorCode(STREAM), INTERNAL_ERROR);
  assert.equal(await upstream.takeRest(), '');
  const second = await askFor(t);
  second.upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal(await second.client.errorCode(STREAM), INTERNAL_ERROR);
  assert.equal(second.upstream.received.length, 0);
});
