import { FIELD } from '../parser/known-fields.ts';
import type { ResponseParser } from '../parser/response-parser.ts';
import type { ByteWriter } from './byte-writer.ts';
import { appendFields, fieldKinds, HOP_BY_HOP } from './field-writer.ts';
import {
  CHUNKED_LINE,
  CLOSE_LINE,
  CONTENT_LENGTH,
  EMPTY_BYTES,
  HTTP_11,
  KEEP_ALIVE_LINE,
  UPSTREAM_STATUS,
  UPSTREAM_STATUS_NAME,
} from './fixed-lines.ts';

const SPACE = 0x20;
const STATUS_DIGITS = 3;
const LEFT_OUT = fieldKinds([...HOP_BY_HOP, FIELD.server, FIELD.trailer]);
const LEFT_OUT_OF_CHUNKED = fieldKinds([...HOP_BY_HOP, FIELD.server]);
const LEFT_OUT_KEEPING_SERVER = fieldKinds([...HOP_BY_HOP, FIELD.trailer]);
const LEFT_OUT_OF_CHUNKED_KEEPING_SERVER = fieldKinds(HOP_BY_HOP);

/** How the client learns where the body ends. `declared`: there is none, but its length is told (HEAD, 304). */
export type AnswerFraming = 'none' | 'declared' | 'length' | 'chunked' | 'close';

/** What a final response's head needs beyond the upstream's bytes. */
export interface AnswerHead {
  readonly framing: AnswerFraming;
  readonly connectionLine: Buffer;
  readonly responseLines: Buffer;
  /** Lower-case names of fields that are the gateway's: the upstream's are cut. */
  readonly ownFields: readonly Buffer[];
  /** Replaces the upstream's Server; undefined passes it through. */
  readonly serverLine: Buffer | undefined;
  readonly dateLine: Buffer;
}

/** The Connection field that an answer carries: none where keeping the connection is the version's default. */
export function connectionLine(keepAlive: boolean, minorVersion: 0 | 1): Buffer {
  if (!keepAlive) return CLOSE_LINE;
  return minorVersion === 0 ? KEEP_ALIVE_LINE : EMPTY_BYTES;
}

/** Appends the head of a final response to the client. The status of a failing upstream is repeated, as APISIX does. */
export function appendResponseHead(writer: ByteWriter, head: ResponseParser, answer: AnswerHead): void {
  const failed = head.status >= 500;
  for (const name of answer.ownFields) cutFields(head, name);
  if (failed) cutFields(head, UPSTREAM_STATUS_NAME);
  writer.ensure(head.headLength + answer.responseLines.length + 256);
  appendStatusLine(writer, head);
  appendFields(writer, head, leftOutOf(answer));
  if (answer.serverLine !== undefined) writer.appendAll(answer.serverLine);
  if (!head.hasDate) writer.appendAll(answer.dateLine);
  if (failed) {
    writer.appendAll(UPSTREAM_STATUS);
    writer.appendDecimal(head.status);
    writer.appendLineEnd();
  }
  writer.appendAll(answer.responseLines);
  if (answer.framing === 'chunked') {
    writer.appendAll(CHUNKED_LINE);
  } else if (answer.framing === 'length' || answer.framing === 'declared') {
    writer.appendAll(CONTENT_LENGTH);
    writer.appendDecimal(head.contentLength);
    writer.appendLineEnd();
  }
  writer.appendAll(answer.connectionLine);
  writer.appendLineEnd();
}

/** Appends an interim response (RFC 9110 §15.2): status and fields only. */
export function appendInterimHead(writer: ByteWriter, head: ResponseParser, ownFields: readonly Buffer[]): void {
  for (const name of ownFields) cutFields(head, name);
  appendStatusLine(writer, head);
  appendFields(writer, head, LEFT_OUT);
  writer.appendLineEnd();
}

function leftOutOf(answer: AnswerHead): Uint8Array {
  if (answer.serverLine === undefined) return answer.framing === 'chunked' ? LEFT_OUT_OF_CHUNKED_KEEPING_SERVER : LEFT_OUT_KEEPING_SERVER;
  return answer.framing === 'chunked' ? LEFT_OUT_OF_CHUNKED : LEFT_OUT;
}

/** Status and reason as the upstream wrote them; the space behind the status is not optional (RFC 9112 §4). */
function appendStatusLine(writer: ByteWriter, head: ResponseParser): void {
  writer.appendAll(HTTP_11);
  writer.append(head.bytes, head.statusStart, head.statusEnd);
  if (head.statusEnd - head.statusStart === STATUS_DIGITS) writer.appendByte(SPACE);
  writer.appendLineEnd();
}

function cutFields(head: ResponseParser, lowerCaseName: Buffer): void {
  for (
    let index = head.fields.find(head.bytes, lowerCaseName, 0);
    index !== -1;
    index = head.fields.find(head.bytes, lowerCaseName, index + 1)
  ) {
    head.fields.cuts[index] = 1;
  }
}
