import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PatternCheck, patternBytes, randomSequence } from './testing/byte-pattern.ts';
import type { ByteStream } from './testing/byte-stream.ts';
import { startProxy, type TestProxy } from './testing/test-engine.ts';

type RandomSequence = () => number;

const SMALL = 200_000;
/** More than the kernel's buffers of one connection take, so that writes stay pending inside the engine. */
const LARGE = 9_000_000;

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/** Sends a body in random pieces, framed as said. */
async function sendBody(stream: ByteStream, owner: number, length: number, chunked: boolean, random: RandomSequence): Promise<void> {
  const largest = length > SMALL ? 200_000 : 5000;
  for (let offset = 0; offset < length; ) {
    const size = Math.min(length - offset, 1 + Math.floor(random() * largest));
    const piece = patternBytes(owner, offset, size);
    const framed = chunked ? Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), piece, Buffer.from('\r\n')]) : piece;
    await stream.sendAll(framed);
    if (random() < 0.2) await turns(Math.floor(random() * 4));
    offset += size;
  }
  if (chunked) await stream.sendAll(Buffer.from('0\r\n\r\n'));
}

/** Reads a body and checks every byte of it, with pauses that let writes pile up on the other side. */
async function checkBody(stream: ByteStream, owner: number, length: number, chunked: boolean, random: RandomSequence): Promise<void> {
  const check = new PatternCheck(owner);
  const takeUpTo = async (most: number): Promise<number> => {
    const piece = await stream.take((received) => (received.length === 0 ? undefined : Math.min(received.length, most)));
    check.take(piece);
    if (random() < 0.1) {
      stream.socket.pause();
      await turns(Math.floor(random() * 20));
      stream.socket.resume();
    }
    return piece.length;
  };
  if (!chunked) {
    while (check.offset < length) await takeUpTo(length - check.offset);
    return;
  }
  for (;;) {
    let rest = Number.parseInt(await stream.takeThrough('\r\n'), 16);
    assert.ok(Number.isInteger(rest));
    while (rest > 0) rest -= await takeUpTo(rest);
    const end = await stream.takeThrough('\r\n');
    assert.equal(end, '\r\n');
    if (check.offset === length) break;
  }
  assert.equal(await stream.takeThrough('0\r\n\r\n'), '0\r\n\r\n');
}

function framingLine(chunked: boolean, length: number): string {
  return chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
}

/** Answers every request on one connection with the pattern that the request's head asks for. */
async function serveUpstream(stream: ByteStream, random: RandomSequence): Promise<void> {
  for (;;) {
    const head = await stream.takeThrough('\r\n\r\n').catch(() => undefined);
    if (head === undefined) return;
    const number = (name: string): number => Number(new RegExp(`${name}: (\\d+)`).exec(head)?.[1]);
    const owner = number('X-Owner');
    await checkBody(stream, owner, number('X-Length'), head.includes('chunked'), random);
    const wanted = number('X-Wanted');
    const chunked = random() < 0.5;
    stream.send(`HTTP/1.1 200 OK\r\nX-Owner: ${owner}\r\n${framingLine(chunked, wanted)}\r\n\r\n`);
    await sendBody(stream, owner, wanted, chunked, random);
  }
}

interface ClientWork {
  readonly owner: number;
  readonly exchanges: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

async function runClient(proxy: TestProxy, work: ClientWork, random: RandomSequence): Promise<void> {
  const stream = await proxy.client();
  for (let index = 0; index < work.exchanges; index++) {
    const length = 1 + Math.floor(random() * work.requestBytes);
    const wanted = 1 + Math.floor(work.responseBytes * (0.8 + random() * 0.2));
    const chunked = random() < 0.5;
    const head = `POST / HTTP/1.1\r\nHost: a\r\nX-Owner: ${work.owner}\r\nX-Length: ${length}\r\nX-Wanted: ${wanted}\r\n${framingLine(chunked, length)}\r\n\r\n`;
    const cut = Math.floor(random() * head.length);
    await stream.sendAll(Buffer.from(head.slice(0, cut)));
    stream.send(head.slice(cut));
    await sendBody(stream, work.owner, length, chunked, random);
    const answer = await stream.takeThrough('\r\n\r\n');
    assert.match(answer, new RegExp(`X-Owner: ${work.owner}\r\n`));
    await checkBody(stream, work.owner, wanted, answer.includes('chunked'), random);
  }
  stream.socket.end();
}

for (const seed of [1, 2]) {
  test(`not a byte of one client reaches another, with slow readers and slow writers on both sides (run ${seed})`, async (t) => {
    const proxy = await startProxy(t);
    const random = randomSequence(seed);
    const serving: Promise<void>[] = [];
    const accept = async (): Promise<void> => {
      for (;;) serving.push(serveUpstream(await proxy.upstream.connection(), random));
    };
    void accept();
    const clients = Array.from({ length: 24 }, (_, index) => {
      const owner = index + 1;
      if (index < 3) return runClient(proxy, { owner, exchanges: 1, requestBytes: 100, responseBytes: LARGE }, random);
      if (index < 5) return runClient(proxy, { owner, exchanges: 1, requestBytes: LARGE, responseBytes: 100 }, random);
      return runClient(proxy, { owner, exchanges: 8, requestBytes: 30_000, responseBytes: index % 2 === 0 ? 300 : 60_000 }, random);
    });
    await Promise.all(clients);
    const finished = await proxy.handler.whenFinished(5 + 19 * 8);
    assert.ok(finished.every(({ status, reason }) => status === 200 && reason === undefined));
  });
}
