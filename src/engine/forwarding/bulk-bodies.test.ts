import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PatternCheck, patternBytes } from '../testing/byte-pattern.ts';
import type { ByteStream } from '../testing/byte-stream.ts';
import { startProxy, type TestProxy } from '../testing/test-engine.ts';
import { BulkBuffers } from './bulk-buffers.ts';

const MEBIBYTE = 1024 * 1024;
const PIECE = 64 * 1024;

/** Reads a body to its end: `slow` readers take a piece and let others run. */
function readBody(client: ByteStream, owner: number, length: number, slow: boolean): Promise<PatternCheck> {
  const { socket } = client;
  const check = new PatternCheck(owner);
  return new Promise((resolve, reject) => {
    const take = (bytes: Buffer): void => {
      try {
        check.take(bytes);
      } catch (error) {
        reject(error);
      }
      if (check.offset >= length) resolve(check);
      if (!slow) return;
      socket.pause();
      setImmediate(() => setImmediate(() => socket.resume()));
    };
    socket.removeAllListeners('data');
    socket.on('data', take);
    socket.on('close', () => reject(new Error(`closed after ${check.offset} bytes`)));
    if (client.received.length > 0) take(client.received);
  });
}

async function sendBody(upstream: ByteStream, owner: number, length: number): Promise<void> {
  for (let offset = 0; offset < length; offset += PIECE) {
    await upstream.sendAll(patternBytes(owner, offset, Math.min(PIECE, length - offset)));
  }
}

/** One download; afterwards the client's connection serves another request, or is closed where nothing else ends the body. */
async function download(proxy: TestProxy, owner: number, length: number, how: { slow: boolean; framed: boolean }): Promise<void> {
  const client = await proxy.client();
  client.send(`GET /${owner} HTTP/1.${how.framed ? 1 : 0}\r\nHost: a\r\n\r\n`);
  const upstream = await proxy.upstream.connection();
  const asked = Number(/^GET \/(\d+) /.exec(await upstream.takeThrough('\r\n\r\n'))?.[1]);
  upstream.send(`HTTP/1.1 200 OK\r\nConnection: close\r\n${how.framed ? `Content-Length: ${length}\r\n` : ''}\r\n`);
  const sent = sendBody(upstream, asked, length).then(() => {
    if (!how.framed) upstream.socket.end();
  });
  await client.takeThrough('\r\n\r\n');
  const [check] = await Promise.all([readBody(client, owner, length, how.slow), sent]);
  assert.equal(check.offset, length);
}

test('a large body reaches readers of any pace byte by byte, many at once', async (t) => {
  for (const framed of [true, false]) {
    const proxy = await startProxy(t);
    const running: Promise<void>[] = [];
    for (let owner = 0; owner < 8; owner++) {
      running.push(download(proxy, owner, 4 * MEBIBYTE, { slow: owner % 2 === 0, framed }));
    }
    await Promise.all(running);
    const finished = await proxy.handler.whenFinished(8);
    assert.ok(finished.every(({ reason, status }) => reason === undefined && status === 200));
  }
});

test('64 MiB pass a reader that stops and goes', async (t) => {
  const proxy = await startProxy(t);
  await download(proxy, 5, 64 * MEBIBYTE, { slow: true, framed: true });
  const [finished] = await proxy.handler.whenFinished(1);
  assert.ok((finished?.bytesToClient ?? 0) > 64 * MEBIBYTE);
});

test('an upstream connection that served a large body serves small ones after it', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${MEBIBYTE}\r\n\r\n`);
  await Promise.all([sendBody(upstream, 1, MEBIBYTE), client.takeThrough('\r\n\r\n')]);
  new PatternCheck(1).take(await client.takeBytes(MEBIBYTE));
  for (let round = 0; round < 3; round++) {
    client.send('GET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    await upstream.takeThrough('\r\n\r\n');
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.match(await client.takeThrough('ok'), /200 OK/);
  }
  assert.equal(proxy.upstream.connections.length, 1);
});

test('bytes behind a large body never reach the client and cost the connection', async (t) => {
  const proxy = await startProxy(t);
  const client = await proxy.client();
  client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n');
  const upstream = await proxy.upstream.connection();
  await upstream.takeThrough('\r\n\r\n');
  upstream.send(`HTTP/1.1 200 OK\r\nContent-Length: ${MEBIBYTE}\r\n\r\n`);
  await client.takeThrough('\r\n\r\n');
  upstream.send(Buffer.concat([patternBytes(1, 0, MEBIBYTE), Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')]));
  new PatternCheck(1).take(await client.takeBytes(MEBIBYTE));
  await upstream.takeRest();
  assert.equal(client.received.length, 0);
});

test('large buffers are counted: when there are enough there is none, one given back makes room, one that a client still holds does not', () => {
  const buffers = new BulkBuffers();
  const taken: Buffer[] = [];
  for (let next = buffers.take(); next !== undefined; next = buffers.take()) taken.push(next);
  assert.equal(new Set(taken).size, taken.length);
  const [first, second] = taken;
  assert.ok(first !== undefined && second !== undefined);
  buffers.giveBack(first);
  assert.equal(buffers.take(), first);
  buffers.lose(second);
  assert.equal(buffers.take(), undefined);
});
