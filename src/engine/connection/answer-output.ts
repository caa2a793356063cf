import type { EngineContext } from '../engine-context.ts';
import type { LocalAnswer } from '../exchange.ts';
import type { Transport } from '../transport/transport.ts';
import { CONTINUE_MESSAGE } from '../writer/fixed-lines.ts';
import { appendLocalAnswer } from '../writer/local-answer-writer.ts';
import { connectionLine } from '../writer/response-head-writer.ts';
import type { CurrentRequest } from './current-request.ts';
import type { HttpExchange } from './http-exchange.ts';

/** What the request says about the form of its answer. */
export interface AnswerForm {
  readonly minorVersion: 0 | 1;
  readonly isHead: boolean;
  readonly keepAlive: boolean;
}

/** Writes a whole answer of the gateway's own and notes it in the exchange. */
export function sendLocalAnswer(
  context: EngineContext,
  transport: Transport,
  exchange: HttpExchange,
  answer: LocalAnswer,
  form: AnswerForm,
): void {
  const output = context.output;
  output.begin(answer.headerLines.length + answer.body.length + 512);
  const keepingLine = connectionLine(form.keepAlive, form.minorVersion);
  const bodyLength = appendLocalAnswer(output, answer, context, exchange, form.isHead, keepingLine);
  exchange.status = answer.status;
  exchange.headBytesToClient = exchange.bytesToClient + output.length - bodyLength;
  exchange.bytesToClient += output.send(transport);
}

/** Tells a client to send its body, if it waits for that (RFC 9110 §10.1.1). */
export function sendContinue(context: EngineContext, transport: Transport, request: CurrentRequest, exchange: HttpExchange): void {
  if (!request.awaitsContinue) return;
  request.awaitsContinue = false;
  request.sentContinue = true;
  const output = context.output;
  output.begin(CONTINUE_MESSAGE.length);
  output.appendAll(CONTINUE_MESSAGE);
  exchange.bytesToClient += output.send(transport);
}
