import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HttpConnection } from '../connection/http-connection.ts';
import type { Exchange } from '../exchange.ts';
import { type DecidedRequest, decidedRequest, expectedAnswer, LONGEST_BODY, textOf } from './decided-requests.ts';
import { RecordedTransport } from './recorded-transport.ts';
import { TEST_CLIENT } from './test-client.ts';
import { testContext } from './test-context.ts';
import { answerOf, planTo, TestHandler } from './test-handler.ts';

async function decide(exchange: Exchange, { decision, late }: DecidedRequest, target: string): Promise<void> {
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
async function serve(requests: readonly DecidedRequest[], pieces: readonly number[]): Promise<{ asked: string[]; answers: string[] }> {
  const transport = new RecordedTransport();
  const asked: string[] = [];
  const handler = new TestHandler((exchange) => {
    const { head } = exchange;
    const target = head?.bytes.toString('latin1', head.targetStart, head.targetEnd) ?? '';
    const sent = requests[asked.push(target) - 1];
    assert.ok(sent !== undefined, `nobody has sent ${target}`);
    void decide(exchange, sent, target);
  });
  const connection = new HttpConnection(
    testContext({ handler }),
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

const requests = fc.array(decidedRequest, { minLength: 1, maxLength: 5 });
const pieces = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 });

/** Whatever is decided about a request, and when, its body is no request and the next one is. */
export const anyDecision = fc.asyncProperty(requests, pieces, async (list, lengths) => {
  const { asked, answers } = await serve(list, lengths);
  assert.deepEqual(
    asked,
    list.map((_, number) => `/${number}`),
  );
  assert.deepEqual(answers, list.map(expectedAnswer));
});
