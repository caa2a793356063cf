import type { LocalAnswer } from '../exchange.ts';
import type { ByteWriter } from './byte-writer.ts';
import { CONTENT_LENGTH, EMPTY_BYTES, statusLine } from './fixed-lines.ts';

/** What the engine adds to an answer that the gateway makes itself. */
export interface LocalAnswerFrame {
  readonly dateLine: Buffer;
  readonly serverLine: Buffer | undefined;
  readonly connectionLine: Buffer;
  readonly isHead: boolean;
}

/** Appends a whole answer. To HEAD it has the same Content-Length and no body (RFC 9110 §9.3.2). */
export function appendLocalAnswer(writer: ByteWriter, answer: LocalAnswer, frame: LocalAnswerFrame): void {
  const hasBody = answer.status >= 200 && answer.status !== 204 && answer.status !== 304;
  writer.ensure(answer.headerLines.length + answer.body.length + 512);
  writer.appendAll(statusLine(answer.status));
  writer.appendAll(frame.dateLine);
  writer.appendAll(frame.serverLine ?? EMPTY_BYTES);
  writer.appendAll(answer.headerLines);
  if (hasBody) {
    writer.appendAll(CONTENT_LENGTH);
    writer.appendDecimal(answer.body.length);
    writer.appendLineEnd();
  }
  writer.appendAll(frame.connectionLine);
  writer.appendLineEnd();
  if (hasBody && !frame.isHead) writer.appendAll(answer.body);
}
