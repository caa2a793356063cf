import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { ByteStream } from '../testing/byte-stream.ts';
import { readMessage } from '../testing/message-reader.ts';
import { startProxy } from '../testing/test-engine.ts';
import { planTo } from '../testing/test-handler.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a body with a length goes on as it comes', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  const upstream = await proxy.upstream.connection();
  assert.equal(await upstream.takeThrough('hello'), 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  client.send('world');
  assert.equal((await upstream.takeBytes(5)).toString(), 'world');
  upstream.send(OK);
  await readMessage(client);
  const [finished] = await proxy.handler.whenFinished(1);
  assert.equal(finished?.bytesFromClient, 58);
});

test('a chunked body goes on chunked, without its extensions, with its trailers but those forbidden', async (t) => {
  const proxy = await startProxy(t);
  proxy.handler.decide = (exchange) =>
    exchange.forward(
      planTo(proxy.target, {
        isForbiddenTrailer: (bytes, start, end) => bytes.toString('latin1', start, end).toLowerCase() === 'x-consumer-username',
      }),
    );
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhel');
  const upstream = await proxy.upstream.connection();
  const head = await upstream.takeThrough('\r\n\r\n');
  assert.equal(head, 'POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n');
  client.send('lo\r\n0\r\nX-Sum: 1\r\nX-Consumer-Username: root\r\nContent-Type: x\r\nX-Last: 2\r\n\r\n');
  const rest = await upstream.takeThrough('\r\n\r\n');
  assert.equal(rest, '3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\nX-Last: 2\r\n\r\n');
  upstream.send(OK);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
});

describe('a malformed request body is refused and ends both connections', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a bad size', 'zz\r\n'],
    ['a bad line end', '5\r\nhelloX'],
    ['a framing trailer', '0\r\nContent-Length: 5\r\n\r\n'],
    ['a routing trailer', '0\r\nHost: b\r\n\r\n'],
    ['an authentication trailer', '0\r\nAuthorization: x\r\n\r\n'],
  ];
  for (const [name, body] of cases) {
    for (const split of [false, true]) {
      test(`${name}${split ? ', behind a first chunk' : ''}`, async (t) => {
        const proxy = await startProxy(t);
        const client = await proxy.client();
        client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
        if (split) {
          const upstream = await proxy.upstream.connection();
          client.send('1\r\nx\r\n');
          await upstream.takeThrough('1\r\nx\r\n');
          client.send(`${body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
          assert.doesNotMatch(await upstream.takeRest(), /smuggled/);
        } else {
          client.send(`${body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
        }
        const answer = await readMessage(client);
        assert.equal(answer.startLine, 'HTTP/1.1 400 Bad Request');
        assert.equal(await client.takeRest(), '');
        assert.deepEqual(
          (await proxy.handler.whenFinished(1)).map((finished) => finished.reason),
          ['bad_chunk'],
        );
      });
    }
  }
});

test('100 is sent when the request may pass, and Expect is not sent on', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
  assert.equal(await client.takeThrough('\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n');
  client.send('body');
  const upstream = await proxy.upstream.connection();
  assert.equal(await upstream.takeThrough('body'), 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
  upstream.send(OK);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 200 OK');
});

test('no 100 is sent to a client whose body is there already', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('body');
  upstream.send(OK);
  assert.equal((await readMessage(client)).startLine, 'HTTP/1.1 200 OK');
});

describe('a response body reaches the client in a framing it knows', () => {
  const bodies: readonly (readonly [string, string, boolean])[] = [
    ['length', 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world', false],
    ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', false],
    ['until close', 'HTTP/1.1 200 OK\r\n\r\nhello world', true],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nhello world', true],
  ];
  const expected: Readonly<Record<string, readonly [string, string]>> = {
    'HTTP/1.1 length': ['length', 'kept'],
    'HTTP/1.1 chunked': ['chunked', 'kept'],
    'HTTP/1.1 until close': ['chunked', 'kept'],
    'HTTP/1.1 HTTP/1.0': ['chunked', 'kept'],
    'HTTP/1.0 length': ['length', 'kept'],
    'HTTP/1.0 chunked': ['close', 'closed'],
    'HTTP/1.0 until close': ['close', 'closed'],
    'HTTP/1.0 HTTP/1.0': ['close', 'closed'],
  };
  for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
    for (const [name, response, ends] of bodies) {
      for (const pieces of ['whole', 'byte by byte']) {
        test(`${name} to ${version}, ${pieces}`, async (t) => {
          const proxy = await startProxy(t);
          const client = await proxy.client();
          client.send(`GET / ${version}\r\nHost: a\r\nConnection: keep-alive\r\n\r\n`);
          const upstream = await proxy.upstream.connection();
          await upstream.takeThrough('\r\n\r\n');
          if (pieces === 'whole') upstream.send(response);
          else for (const byte of Buffer.from(response, 'latin1')) await upstream.sendAll(Buffer.from([byte]));
          if (ends) upstream.socket.end();
          const answer = await readMessage(client, { untilClose: true });
          const framing = answer.header('transfer-encoding') ?? (answer.header('content-length') === undefined ? 'close' : 'length');
          const connection = answer.header('connection') === 'close' ? 'closed' : 'kept';
          assert.deepEqual([framing, connection], expected[`${version} ${name}`]);
          assert.equal(answer.body.toString(), 'hello world');
        });
      }
    }
  }
});

test("a response's trailers are relayed, but for those that no trailer may be", async (t) => {
  const proxy = await startProxy(t, { ownResponseFields: ['X-Own'], serverHeader: 'Gate' });
  const client = await proxy.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(
    'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\nContent-Length: 9\r\n' +
      'Server: forged\r\nX-Own: forged\r\nX-APISIX-Upstream-Status: 200\r\n\r\n',
  );
  const answer = await readMessage(client);
  assert.equal(answer.header('trailer'), 'X-Sum');
  assert.deepEqual(answer.trailers, ['X-Sum: 1']);
});

test('bytes behind a response are not taken for another, and end that connection', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
  await upstream.takeRest();
  client.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  const next = await proxy.upstream.connection();
  await next.takeThrough('\r\n\r\n');
  next.send(OK);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
});

test('an upstream that speaks while idle is dropped', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(OK);
  await readMessage(client);
  upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
  await upstream.takeRest();
  assert.equal(proxy.pool.openConnections, 0);
});

test('a final answer before the whole body is relayed, and both connections end', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nstart');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('start');
  upstream.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
  const answer = await readMessage(client);
  assert.equal(answer.startLine, 'HTTP/1.1 413 Content Too Large');
  assert.equal(answer.header('connection'), 'close');
  assert.equal(answer.body.toString(), 'big');
  client.send('x'.repeat(1000));
  await upstream.takeRest();
  assert.equal(await client.takeRest(), '');
});

test('a body that is echoed while it is sent flows both ways', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
  await client.takeThrough('\r\n\r\n');
  for (let index = 0; index < 20; index++) {
    client.send('4\r\nping\r\n');
    await upstream.takeThrough('4\r\nping\r\n');
    upstream.send('4\r\npong\r\n');
    await client.takeThrough('4\r\npong\r\n');
  }
  client.send('0\r\n\r\n');
  await upstream.takeThrough('0\r\n\r\n');
  upstream.send('0\r\n\r\n');
  await client.takeThrough('0\r\n\r\n');
  await proxy.handler.whenFinished(1);
});

const LARGE_BYTES = 50 * 1024 * 1024;

/** Bytes that say where they stand, so that a lost, doubled or foreign piece shows. */
function patternBlock(offset: number, length: number): Buffer {
  const block = Buffer.allocUnsafe(length);
  for (let index = 0; index < length; index += 4) block.writeUInt32BE((offset + index) >>> 0, index);
  return block;
}

async function sendPattern(stream: ByteStream, total: number): Promise<void> {
  for (let offset = 0; offset < total; offset += 65_536) await stream.sendAll(patternBlock(offset, 65_536));
}

function patternDigest(total: number): string {
  const hash = createHash('sha256');
  for (let offset = 0; offset < total; offset += 65_536) hash.update(patternBlock(offset, 65_536));
  return hash.digest('hex');
}

async function digestOf(stream: ByteStream, total: number): Promise<string> {
  const hash = createHash('sha256');
  for (let taken = 0; taken < total; ) {
    const piece = await stream.take((received) => (received.length === 0 ? undefined : Math.min(received.length, total - taken)));
    hash.update(piece);
    taken += piece.length;
  }
  return hash.digest('hex');
}

/** Lets the sender run until it is stuck, and says how far it came. */
async function sentUntilStuck(socket: { readonly bytesWritten: number; readonly writableLength: number }): Promise<number> {
  let last = -1;
  let quietTurns = 0;
  while (quietTurns < 300) {
    const sent = socket.bytesWritten - socket.writableLength;
    quietTurns = sent === last ? quietTurns + 1 : 0;
    last = sent;
    await new Promise(setImmediate);
  }
  return last;
}

test('a slow reader holds a large response back, and gets every byte of it', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  client.socket.pause();
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE_BYTES}\r\n\r\n`);
  const sending = sendPattern(upstream, LARGE_BYTES);
  const stuckAt = await sentUntilStuck(upstream.socket);
  assert.ok(stuckAt < 40 * 1024 * 1024, `the upstream sent ${stuckAt} bytes that nobody read`);
  const before = process.memoryUsage().arrayBuffers;
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024);
  client.socket.resume();
  await client.takeThrough('\r\n\r\n');
  const [received] = await Promise.all([digestOf(client, LARGE_BYTES), sending]);
  assert.equal(received, patternDigest(LARGE_BYTES));
});

test('a slow upstream holds a large request back, and gets every byte of it', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LARGE_BYTES}\r\n\r\n`);
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.socket.pause();
  const sending = sendPattern(client, LARGE_BYTES);
  const stuckAt = await sentUntilStuck(client.socket);
  assert.ok(stuckAt < 40 * 1024 * 1024, `the client sent ${stuckAt} bytes that nobody read`);
  upstream.socket.resume();
  const [received] = await Promise.all([digestOf(upstream, LARGE_BYTES), sending]);
  assert.equal(received, patternDigest(LARGE_BYTES));
  upstream.send(OK);
  assert.equal((await readMessage(client)).body.toString(), 'ok');
});
