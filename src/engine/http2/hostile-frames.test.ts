import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FLAG, FRAME, fieldBlock, frameBytes, type Http2Frames, integer } from '../testing/http2-frames.ts';
import { type Http2Proxy, startHttp2Proxy } from '../testing/http2-proxy.ts';
import { answerOf } from '../testing/test-handler.ts';

const GET = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
] as const;
const POST = [[':method', 'POST'], ...GET.slice(1)] as const;
const PROTOCOL_ERROR = 1;
const ENHANCE_YOUR_CALM = 11;
const INITIAL_WINDOW_SIZE = 4;

/** The payload of a SETTINGS frame. */
function setting(name: number, value: number): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(name, 0);
  payload.writeUInt32BE(value, 2);
  return payload;
}

async function started(t: TestContext, body = 'ok'): Promise<{ proxy: Http2Proxy; client: Http2Frames }> {
  const proxy = await startHttp2Proxy(t);
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, body));
  const client = await proxy.frames();
  client.begin();
  return { proxy, client };
}

/** Another client is served as if nothing had happened. */
async function assertServesOthers(proxy: Http2Proxy): Promise<void> {
  const other = await proxy.frames();
  other.begin();
  other.request(1, GET);
  assert.equal(await other.status(1), 200);
}

test('fields that HTTP/2 forbids never reach the engine', async (t) => {
  const { proxy, client } = await started(t);
  const fieldCounts: number[] = [];
  proxy.handler.decide = (exchange) => {
    fieldCounts.push(exchange.head?.headerCount ?? 0);
    exchange.respond(answerOf(200, 'ok'));
  };
  const rows: readonly (readonly (readonly [string, string])[])[] = [
    [...GET, ['Upper', 'x']],
    [...GET, ['a b', 'x']],
    [...GET, ['a:', 'x']],
    [...GET, ['a', 'x\r\ny: z']],
    [...GET, ['a', 'x\0y']],
    [...GET, ['connection', 'close']],
    [...GET, ['transfer-encoding', 'chunked']],
    [...GET, ['upgrade', 'h2c']],
    [...GET, ['te', 'gzip']],
    [...GET, [':path', '/again']],
    [...GET, [':unknown', 'x']],
    [['a', 'b'], ...GET],
    GET.slice(1),
    [...GET.slice(0, 2), ...GET.slice(3)],
    [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/ HTTP/1.1\r\nHost: b\r\n\r\n'],
      [':authority', 'a'],
    ],
    [[':method', 'GET\r\n'], ...GET.slice(1)],
    [...GET.slice(0, 3), [':authority', 'a\r\nb: c']],
    [...GET, ['content-length', '5']],
    [...GET, ['content-length', '0'], ['content-length', '0']],
    [...GET, ['content-length', '-1']],
  ];
  let stream = 1;
  for (const fields of rows) {
    client.request(stream, fields);
    const frame = await client.frame(({ type, stream: on }) => on === stream && (type === FRAME.rstStream || type === FRAME.headers));
    const outcome = frame?.type === FRAME.rstStream ? frame.payload.readUInt32BE(0) : await client.status(stream);
    assert.ok(outcome === PROTOCOL_ERROR || outcome === 400, `${JSON.stringify(fields)}: ${outcome}`);
    stream += 2;
  }
  assert.deepEqual(fieldCounts, []);
  await assertServesOthers(proxy);
});

test('a body that is not as long as Content-Length says ends its stream, and no byte of it is another request', async (t) => {
  const proxy = await startHttp2Proxy(t);
  for (const data of ['abcdefGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n', 'abc']) {
    const stream = 1;
    const client = await proxy.frames();
    client.begin();
    client.request(stream, [...POST, ['content-length', '5']], false);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    client.send(FRAME.data, FLAG.endStream, stream, Buffer.from(data));
    assert.notEqual(await client.errorCode(stream), undefined);
    assert.doesNotMatch(await upstream.takeRest(), /smuggled/);
  }
});

test('trailer fields with a pseudo field, or one that could be a header, end the stream', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  for (const [stream, trailer, forwarded] of [
    [1, [':path', '/x'], false],
    [3, ['transfer-encoding', 'chunked'], false],
    [5, ['authorization', 'x'], false],
    [7, ['x-fine', 'y'], true],
  ] as const) {
    client.request(stream, POST, false);
    const upstream = await proxy.upstream.connection();
    await upstream.takeThrough('\r\n\r\n');
    client.send(FRAME.data, 0, stream, Buffer.from('abc'));
    client.send(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, fieldBlock([trailer as readonly [string, string]]));
    if (forwarded) assert.match(await upstream.takeThrough('0\r\nx-fine: y\r\n\r\n'), /abc/);
    else assert.doesNotMatch(await upstream.takeRest(), /0\r\n/);
  }
});

test('trailer fields that cannot be end the stream, also behind a body whose length was told', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  client.request(1, [...POST, ['content-length', '3']], false);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  client.send(FRAME.data, 0, 1, Buffer.from('abc'));
  client.send(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, fieldBlock([[':path', '/x']]));
  assert.equal(await client.errorCode(1), PROTOCOL_ERROR);
});

test('a port above 65535 in :authority is refused as it is in Host', async (t) => {
  const { client } = await started(t);
  for (const [stream, port, status] of [
    [1, 99_999, 400],
    [3, 65_536, 400],
    [5, 65_535, 200],
  ] as const) {
    client.request(stream, [...GET.slice(0, 3), [':authority', `a.test:${port}`]]);
    assert.equal(await client.status(stream), status);
  }
});

test('a client that gives up one request for each one that is answered is served on and on', async (t) => {
  const { proxy, client } = await started(t);
  let count = 0;
  proxy.handler.decide = (exchange) => {
    if (count++ % 2 === 0) exchange.respond(answerOf(200, 'ok'));
  };
  const frames: Buffer[] = [];
  for (let stream = 1; stream < 6000; stream += 4) {
    frames.push(
      frameBytes(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, fieldBlock(GET)),
      frameBytes(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream + 2, fieldBlock(GET)),
      frameBytes(FRAME.rstStream, 0, stream + 2, Buffer.from([0, 0, 0, 8])),
    );
  }
  client.socket.write(Buffer.concat(frames));
  assert.equal(await client.status(5997), 200);
  assert.equal(count, 3000);
  assert.equal(
    client.received.some(({ type }) => type === FRAME.goaway),
    false,
  );
});

test('a flood of resets ends the connection (CVE-2023-44487), and so does making the gateway reset (CVE-2025-8671)', async (t) => {
  for (const attack of ['reset', 'overflow'] as const) {
    const proxy = await startHttp2Proxy(t);
    const client = await proxy.frames();
    client.begin();
    const frames: Buffer[] = [];
    for (let stream = 1; stream < 6000; stream += 2) {
      frames.push(frameBytes(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, fieldBlock(GET)));
      if (attack === 'reset') frames.push(frameBytes(FRAME.rstStream, 0, stream, Buffer.from([0, 0, 0, 8])));
      else frames.push(frameBytes(FRAME.windowUpdate, 0, stream, Buffer.from([0x7f, 0xff, 0xff, 0xff])));
    }
    client.socket.write(Buffer.concat(frames));
    await client.whenClosed();
    assert.ok(proxy.handler.finished.length < 2500, `${attack}: ${proxy.handler.finished.length}`);
    proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'ok'));
    await assertServesOthers(proxy);
  }
});

test('an endless block of fields ends the connection before it lies in memory (CONTINUATION flood)', async (t) => {
  const { proxy, client } = await started(t);
  client.send(FRAME.headers, 0, 1, fieldBlock(GET));
  const piece = frameBytes(FRAME.continuation, 0, 1, fieldBlock([['x', 'y'.repeat(16_000)]]));
  let sent = 0;
  while (!client.closed && sent < 2000) {
    client.socket.write(piece);
    sent++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(client.closed, 'the connection is still open after 32 MB of fields');
  assert.equal(proxy.handler.finished.length, 0);
  await assertServesOthers(proxy);
});

test('empty CONTINUATION frames without end, too', async (t) => {
  const { proxy, client } = await started(t);
  client.send(FRAME.headers, 0, 1, fieldBlock(GET));
  const many = Buffer.concat(Array.from({ length: 1000 }, () => frameBytes(FRAME.continuation, 0, 1, Buffer.alloc(0))));
  for (let sent = 0; !client.closed && sent < 100; sent++) {
    client.socket.write(many);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(client.closed, 'the connection is still open after 100,000 empty frames');
  await assertServesOthers(proxy);
});

test('a header bomb costs no more than its bound: many references to one large field', async (t) => {
  const { proxy, client } = await started(t);
  // A literal with indexing of 3 KB becomes entry 62 of the dynamic table; each further byte repeats it.
  const value = Buffer.alloc(3000, 0x79);
  const large = Buffer.concat([Buffer.from([0x40, 1, 0x78]), integer(value.length, 7), value]);
  const references = Buffer.alloc(10_000, 0x80 | 62);
  client.block(1, Buffer.concat([fieldBlock(GET), large, references]));
  assert.notEqual(await client.errorCode(1), undefined);
  assert.equal(proxy.handler.finished.length, 0);
  await assertServesOthers(proxy);
});

test('more fields than the limit are 431, far more end the stream', async (t) => {
  const { proxy, client } = await started(t);
  client.request(1, [...GET, ...Array.from({ length: 250 }, (_, index): readonly [string, string] => [`x-${index}`, 'y'])]);
  assert.equal(await client.status(1), 431);
  client.request(3, [...GET, ...Array.from({ length: 2000 }, (): readonly [string, string] => ['x', 'y'])]);
  assert.equal(await client.errorCode(3), ENHANCE_YOUR_CALM);
  await assertServesOthers(proxy);
});

test('floods of SETTINGS and PING that the client never reads the answers to end the connection', async (t) => {
  for (const frame of [frameBytes(FRAME.settings, 0, 0, Buffer.alloc(0)), frameBytes(FRAME.ping, 0, 0, Buffer.alloc(8))]) {
    const { proxy, client } = await started(t);
    client.request(1, GET);
    await client.status(1);
    client.socket.pause();
    const many = Buffer.concat(Array.from({ length: 5000 }, () => frame));
    let failed = false;
    client.socket.on('error', () => {
      failed = true;
    });
    client.socket.on('close', () => {
      failed = true;
    });
    for (let sent = 0; !failed && sent < 400; sent++) await new Promise((resolve) => client.socket.write(many, resolve));
    assert.ok(failed, 'two million frames were answered or kept');
    await assertServesOthers(proxy);
  }
});

test('empty DATA frames without end cost the upstream nothing and end the connection', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  client.request(1, POST, false);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  client.socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => frameBytes(FRAME.data, 0, 1, Buffer.alloc(0)))));
  await client.whenClosed();
  assert.equal((await upstream.takeRest()).length, 0);
});

test('a client that takes an answer byte by byte, with a frame for each, is ended (CVE-2019-9511)', async (t) => {
  const { proxy, client } = await started(t, 'x'.repeat(200_000));
  client.send(FRAME.settings, 0, 0, setting(INITIAL_WINDOW_SIZE, 0));
  client.request(1, GET);
  assert.equal(await client.status(1), 200);
  const one = frameBytes(FRAME.windowUpdate, 0, 1, Buffer.from([0, 0, 0, 1]));
  client.socket.write(Buffer.concat(Array.from({ length: 20_000 }, () => one)));
  assert.equal(await client.errorCode(1), ENHANCE_YOUR_CALM);
  await assertServesOthers(proxy);
});

test('a client that is sent many small messages may make room for each', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  client.request(1, GET);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  // Room for each on the stream and on the connection: more frames without data than a client may send that is sent nothing.
  const room = Buffer.concat([0, 1].map((stream) => frameBytes(FRAME.windowUpdate, 0, stream, Buffer.from([0, 0, 0, 1]))));
  for (let batch = 0; batch < 12; batch++) {
    const seen = client.received.length;
    upstream.send('1\r\nx\r\n'.repeat(500));
    await client.frame((frame) => frame.type === FRAME.data && client.received.indexOf(frame, seen) !== -1);
    client.socket.write(Buffer.concat(Array.from({ length: 500 }, () => room)));
  }
  upstream.send('0\r\n\r\n');
  const end = await client.frame(({ type, flags }) => type === FRAME.data && (flags & FLAG.endStream) !== 0);
  assert.notEqual(end, undefined);
});

test('a body that does not come, and one that trickles in, have the deadlines of HTTP/1.1', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  client.request(1, POST, false);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  proxy.clock.advance(500);
  proxy.clock.advance(61_000);
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.reason, 'request_timeout');
  assert.equal(await client.status(1), 408);
});

test('no more requests at once than allowed', async (t) => {
  const proxy = await startHttp2Proxy(t);
  const client = await proxy.frames();
  client.begin();
  let asked = 0;
  proxy.handler.decide = () => {
    asked++;
  };
  for (let number = 0; number < 400; number++) client.request(1 + 2 * number, GET);
  client.send(FRAME.ping, 0, 0, Buffer.alloc(8));
  await client.frame(
    ({ type, flags, payload }) => (type === FRAME.ping && flags === FLAG.ack) || (type === FRAME.goaway && payload.length > 0),
  );
  assert.ok(asked <= 128, `${asked} requests at once`);
});

test('garbage, a wrong preface and a frame on a stream that cannot be end the connection', async (t) => {
  const proxy = await startHttp2Proxy(t);
  proxy.handler.decide = (exchange) => exchange.respond(answerOf(200, 'ok'));
  for (const bytes of [
    frameBytes(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 2, fieldBlock(GET)),
    frameBytes(FRAME.data, 0, 7, Buffer.from('x')),
    frameBytes(FRAME.pushPromise, FLAG.endHeaders, 1, Buffer.alloc(8)),
    frameBytes(FRAME.settings, 0, 0, Buffer.alloc(5)),
    frameBytes(FRAME.windowUpdate, 0, 0, Buffer.alloc(4)),
    Buffer.alloc(64, 0xff),
  ]) {
    const client = await proxy.frames();
    client.begin();
    client.socket.write(bytes);
    await client.whenClosed();
  }
  await assertServesOthers(proxy);
});
