import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { EngineContext } from '../engine-context.ts';
import { DEFAULT_ENGINE_LIMITS, DEFAULT_ENGINE_TIMEOUTS } from '../engine-options.ts';
import type { Exchange } from '../exchange.ts';
import { RecordedTransport } from '../testing/recorded-transport.ts';
import { TEST_CLIENT } from '../testing/test-client.ts';
import { answerOf, TestHandler } from '../testing/test-handler.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { HttpConnection } from './http-connection.ts';

/** One connection without a socket: the test decides what has been received, and when each request is answered. */
class Scene {
  readonly transport = new RecordedTransport();
  readonly asked: Exchange[] = [];
  readonly context: EngineContext;
  readonly connection: HttpConnection;
  /** Bytes that the connection was given. */
  received = 0;
  answersAtOnce = true;

  constructor() {
    const clock = new FakeClock();
    const handler = new TestHandler((exchange) => {
      this.asked.push(exchange);
      if (this.answersAtOnce) this.answer();
    });
    this.context = new EngineContext({
      handler,
      pool: new UpstreamPool({ clock }),
      limits: DEFAULT_ENGINE_LIMITS,
      timeouts: DEFAULT_ENGINE_TIMEOUTS,
      serverLine: undefined,
      ownResponseFields: [],
      clock,
      onFailure: (error) => assert.fail(String(error)),
    });
    const makeTransport = (): RecordedTransport => this.transport;
    this.connection = new HttpConnection(this.context, TEST_CLIENT, makeTransport, () => {});
  }

  /** Answers the request that waits, if one does. */
  answer(): void {
    const exchange = this.asked.at(-1);
    if (exchange?.status === 0 && exchange.reason === undefined) exchange.respond(answerOf(200, 'ok'));
  }

  /** Gives the connection up to `length` of what was sent, unless it does not want any now. */
  deliver(sent: Buffer, length: number): void {
    if (this.transport.paused || this.transport.ended) return;
    const piece = Buffer.from(sent.subarray(this.received, this.received + length));
    if (piece.length === 0) return;
    this.received += piece.length;
    this.connection.onBytes(piece, piece.length);
  }

  /** `keep-alive` or `close` for each answer. */
  answers(): string[] {
    const heads = this.transport.text().match(/HTTP\/1\.1 200 OK\r\n[\s\S]*?\r\n\r\nok/g) ?? [];
    return heads.map((head) => (/\r\nConnection: close\r\n/i.test(head) ? 'close' : 'keep-alive'));
  }
}

const requests = fc.array(fc.nat(40).map(requestOf), { minLength: 1, maxLength: 12 });
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('deliver' as const), length: fc.integer({ min: 1, max: 400 }) }) },
    { weight: 4, arbitrary: fc.constant({ kind: 'answer' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'drain' as const }) },
    { weight: 1, arbitrary: fc.boolean().map((atOnce) => ({ kind: 'mode' as const, atOnce })) },
  ),
  { maxLength: 60 },
);

/** A GET, or a POST with a body of `length` bytes, in chunks where that is odd, which may look like the end of a head. */
function requestOf(length: number): string {
  if (length < 10) return `GET /${length} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const body = 'GET / HTTP/1.1\r\n\r\n'.repeat(length).slice(0, length);
  if (length % 2 === 0) return `POST /${length} HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;
  const chunks = [body.slice(0, 7), body.slice(7)].map((chunk) => `${chunk.length.toString(16)};a=b\r\n${chunk}\r\n`);
  return `POST /${length} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\nX-Trailer: 1\r\n\r\n`;
}

test('in a drain a client gets an answer to each request that was received before an answer said close', () => {
  fc.assert(
    fc.property(requests, steps, (list, script) => {
      const scene = new Scene();
      const sent = Buffer.from(list.join(''), 'latin1');
      const ends = list.map((_, index) => list.slice(0, index + 1).join('').length);
      let receivedAtClose: number | undefined;
      scene.transport.onWrite = (text) => {
        if (/\r\nConnection: close\r\n/i.test(text)) receivedAtClose ??= scene.received;
      };
      for (const step of script) {
        switch (step.kind) {
          case 'deliver':
            scene.deliver(sent, step.length);
            break;
          case 'answer':
            scene.answer();
            break;
          case 'drain':
            scene.context.announcesClose = true;
            break;
          case 'mode':
            scene.answersAtOnce = step.atOnce;
            break;
        }
      }
      // Whatever was left undone is done now.
      scene.context.announcesClose = true;
      scene.answersAtOnce = true;
      for (let round = 0; round < 200; round++) {
        scene.answer();
        scene.deliver(sent, 100);
      }
      const answers = scene.answers();
      const atClose = receivedAtClose ?? scene.received;
      const whole = ends.filter((end) => end <= atClose).length;
      assert.ok(answers.length >= whole, `${answers.length} answers to ${whole} requests received`);
      assert.ok(!answers.slice(0, -1).includes('close'), 'close comes with the last answer');
      if (answers.length === list.length) assert.equal(answers.at(-1), receivedAtClose === undefined ? 'keep-alive' : 'close');
    }),
    { numRuns: 1000 },
  );
});

test('a burst that comes in several pieces is answered whole, and the last answer says close', () => {
  const scene = new Scene();
  const sent = Buffer.from(requestOf(0).repeat(100), 'latin1');
  scene.context.announcesClose = true;
  for (let piece = 0; piece < 8; piece++) scene.deliver(sent, 401);
  const answers = scene.answers();
  assert.equal(answers.length, 100);
  assert.equal(answers.indexOf('close'), 99);
});

test('a client that never stops sending is told to close all the same', () => {
  const scene = new Scene();
  scene.context.announcesClose = true;
  const sent = Buffer.from(requestOf(0).repeat(10_000), 'latin1');
  for (let piece = 0; piece < 1000 && !scene.transport.ended; piece++) scene.deliver(sent, 1009);
  const answers = scene.answers();
  assert.equal(answers.indexOf('close'), answers.length - 1);
  assert.ok(scene.received < 20 * 1009, `told after ${scene.received} bytes`);
});

test('a client that always has another request under way is told to close all the same', () => {
  const scene = new Scene();
  scene.context.announcesClose = true;
  scene.answersAtOnce = false;
  const request = Buffer.from(requestOf(0), 'latin1');
  const sent = Buffer.concat(Array.from({ length: 1000 }, () => request));
  // Each comes whole, while the one before waits for its answer.
  while (scene.received < sent.length && !scene.transport.ended) {
    scene.deliver(sent, request.length);
    scene.deliver(sent, request.length);
    scene.answer();
  }
  const answers = scene.answers();
  assert.equal(answers.indexOf('close'), answers.length - 1);
  assert.ok(answers.length < 50, `told after ${answers.length} answers`);
});

test('a long burst that has come in few reads is answered whole', () => {
  const scene = new Scene();
  scene.context.announcesClose = true;
  scene.answersAtOnce = false;
  const sent = Buffer.from(requestOf(0).repeat(5000), 'latin1');
  for (let answered = 0; answered < 5000; answered++) {
    scene.deliver(sent, 65_536);
    scene.answer();
  }
  const answers = scene.answers();
  assert.equal(answers.length, 5000);
  assert.equal(answers.indexOf('close'), 4999);
});

test('empty lines behind a request are no request', () => {
  const scene = new Scene();
  scene.context.announcesClose = true;
  scene.deliver(Buffer.from(`${requestOf(0)}\r\n`, 'latin1'), 1000);
  assert.deepEqual(scene.answers(), ['close']);
});

test('the unread body of a refused request is no request', () => {
  const scene = new Scene();
  scene.context.announcesClose = true;
  scene.deliver(Buffer.from(requestOf(40), 'latin1'), 1000);
  assert.deepEqual(scene.answers(), ['close']);
});

test('what lies behind the unread body of a refused request is answered too', () => {
  const scene = new Scene();
  scene.context.announcesClose = true;
  scene.deliver(Buffer.from(requestOf(40) + requestOf(39) + requestOf(0), 'latin1'), 1000);
  assert.deepEqual(scene.answers(), ['keep-alive', 'keep-alive', 'close']);
});
