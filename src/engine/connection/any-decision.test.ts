import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { EngineContext } from '../engine-context.ts';
import { DEFAULT_ENGINE_LIMITS, DEFAULT_ENGINE_TIMEOUTS } from '../engine-options.ts';
import type { Exchange } from '../exchange.ts';
import { RecordedTransport } from '../testing/recorded-transport.ts';
import { TEST_CLIENT } from '../testing/test-client.ts';
import { answerOf, planTo, TestHandler } from '../testing/test-handler.ts';
import { UpstreamPool } from '../upstream/upstream-pool.ts';
import { HttpConnection } from './http-connection.ts';

/** What a body consists of, so that a part of one which is taken for a request shows. */
const INNER = 'GET /inner HTTP/1.1\r\nHost: a\r\n\r\n';
const LONGEST_BODY = 100;

const DECISIONS = [
  'respond',
  'abort',
  'find no node',
  'collect',
  'collect too much',
  'collect the start',
  'forget the collecting',
] as const;

interface Request {
  readonly decision: (typeof DECISIONS)[number];
  /** The decision comes in a later turn. */
  readonly late: boolean;
  readonly framing: 'none' | 'length' | 'chunked';
  readonly bodyBytes: number;
}

const request = fc.record<Request>({
  decision: fc.constantFrom(...DECISIONS),
  late: fc.boolean(),
  framing: fc.constantFrom('none', 'length', 'chunked'),
  bodyBytes: fc.nat(LONGEST_BODY),
});

function bodyOf({ framing, bodyBytes }: Request): string {
  return framing === 'none' ? '' : INNER.repeat(4).slice(0, bodyBytes);
}

function textOf(sent: Request, number: number): string {
  const body = bodyOf(sent);
  const start = `POST /${number} HTTP/1.1\r\nHost: a\r\n`;
  if (sent.framing === 'none') return `${start}\r\n`;
  if (sent.framing === 'length') return `${start}Content-Length: ${body.length}\r\n\r\n${body}`;
  const half = body.length >> 1;
  const chunks = [body.slice(0, half), body.slice(half)].filter((chunk) => chunk !== '');
  return `${start}Transfer-Encoding: chunked\r\n\r\n${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
}

/** Status and body that the client is to get. */
function expectedAnswer(sent: Request, number: number): string {
  const body = bodyOf(sent);
  switch (sent.decision) {
    case 'respond':
    case 'forget the collecting':
      return `200 /${number}`;
    case 'collect':
      return `200 ${body}`;
    case 'collect the start':
      return `200 ${body.slice(0, 10)}`;
    case 'collect too much':
      return `200 ${body.length > 10 ? 'too-large' : body}`;
    case 'abort':
    case 'find no node':
      return '503';
  }
}

async function decide(exchange: Exchange, { decision, late }: Request, target: string): Promise<void> {
  if (late) await Promise.resolve();
  const respond = (text: Buffer | string): void => exchange.respond(answerOf(200, text.toString('latin1')));
  if (decision === 'respond') respond(target);
  else if (decision === 'abort') exchange.abort('service_overloaded');
  else if (decision === 'find no node') exchange.forward(NO_NODE);
  else if (decision === 'collect') respond(await exchange.readBody(LONGEST_BODY));
  else if (decision === 'collect too much') respond(await exchange.readBody(10));
  else if (decision === 'collect the start') respond(await exchange.readBodyStart(10));
  else {
    exchange.readBody(LONGEST_BODY).catch(() => {});
    respond(target);
  }
}

const NO_NODE = planTo({ address: '127.0.0.1', port: 1 }, { nextTarget: () => 'no_node' });

/** Sends all in pieces of these lengths, in turn, as far as the connection reads; what was asked, and what was answered. */
async function serve(requests: readonly Request[], pieces: readonly number[]): Promise<{ asked: string[]; answers: string[] }> {
  const transport = new RecordedTransport();
  const asked: string[] = [];
  const clock = new FakeClock();
  const handler = new TestHandler((exchange) => {
    const { head } = exchange;
    const target = head?.bytes.toString('latin1', head.targetStart, head.targetEnd) ?? '';
    const sent = requests[asked.push(target) - 1];
    assert.ok(sent !== undefined, `nobody has sent ${target}`);
    void decide(exchange, sent, target);
  });
  const context = new EngineContext({
    handler,
    pool: new UpstreamPool({ clock }),
    limits: DEFAULT_ENGINE_LIMITS,
    timeouts: DEFAULT_ENGINE_TIMEOUTS,
    serverLine: undefined,
    ownResponseFields: [],
    clock,
    onFailure: (error) => assert.fail(String(error)),
  });
  const connection = new HttpConnection(
    context,
    TEST_CLIENT,
    () => transport,
    () => {},
  );
  const sent = Buffer.from(requests.map(textOf).join(''), 'latin1');
  let position = 0;
  for (let turn = 0; position < sent.length; turn++) {
    const piece = Buffer.from(sent.subarray(position, position + (pieces[turn % pieces.length] ?? 1)));
    position += piece.length;
    connection.onBytes(piece, piece.length);
    // The buffer is read into again.
    piece.fill('?');
    await new Promise(setImmediate);
  }
  return { asked, answers: answersIn(transport.text()) };
}

function answersIn(text: string): string[] {
  const answers: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const [, status, length] = /^HTTP\/1\.1 (\d+) [\s\S]*?\r\nContent-Length: (\d+)\r\n/.exec(rest) ?? [];
    const start = rest.indexOf('\r\n\r\n') + 4;
    const end = start + Number(length);
    answers.push(status === '200' ? `${status} ${rest.slice(start, end)}` : `${status}`);
    rest = rest.slice(end);
  }
  return answers;
}

test('whatever is decided about a request, and when, its body is no request and the next one is', async () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 5 }), pieces, async (requests, lengths) => {
      const { asked, answers } = await serve(requests, lengths);
      assert.deepEqual(
        asked,
        requests.map((_, number) => `/${number}`),
      );
      assert.deepEqual(answers, requests.map(expectedAnswer));
    }),
    { numRuns: 300 },
  );
});
