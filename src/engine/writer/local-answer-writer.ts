import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Exchange, LocalAnswer } from '../exchange.ts';
import { CONTENT_LENGTH, statusLine, UPSTREAM_STATUS } from './fixed-lines.ts';

/** Appends a whole answer, with what became of attempts that an upstream failed (as APISIX does). To HEAD it has the same Content-Length and no body (RFC 9110 §9.3.2). Returns the length of the body. */
export function appendLocalAnswer(
  writer: ByteWriter,
  answer: LocalAnswer,
  context: EngineContext,
  exchange: Exchange,
  isHead: boolean,
  keepingLine: Buffer,
): number {
  const hasBody = answer.status >= 200 && answer.status !== 204 && answer.status !== 304;
  writer.ensure(answer.headerLines.length + answer.body.length + exchange.failedAttempts.length + 512);
  writer.appendAll(statusLine(answer.status));
  writer.appendAll(context.date.line);
  if (context.serverLine !== undefined) writer.appendAll(context.serverLine);
  writer.appendAll(answer.headerLines);
  if (exchange.failedAttempts !== '') {
    writer.appendAll(UPSTREAM_STATUS);
    writer.appendAscii(exchange.failedAttempts);
    writer.appendLineEnd();
  }
  context.appendOwnLines(exchange, writer);
  if (hasBody) {
    writer.appendAll(CONTENT_LENGTH);
    writer.appendDecimal(answer.body.length);
    writer.appendLineEnd();
  }
  writer.appendAll(keepingLine);
  writer.appendLineEnd();
  if (!hasBody || isHead) return 0;
  writer.appendAll(answer.body);
  return answer.body.length;
}
