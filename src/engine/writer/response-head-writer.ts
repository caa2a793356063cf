import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { EngineContext } from '../engine-context.ts';
import type { Exchange } from '../exchange.ts';
import { equalsIgnoringCase } from '../parser/character-classes.ts';
import { FIELD } from '../parser/known-fields.ts';
import type { ResponseParser } from '../parser/response-parser.ts';
import { appendFields, type FieldKinds, fieldKinds, HOP_BY_HOP } from './field-writer.ts';
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
const DIGIT_ONE = 0x31;
const SERVER_NAME = Buffer.from('server', 'latin1');
const LEFT_OUT = fieldKinds([...HOP_BY_HOP, FIELD.server, FIELD.trailer]);
const LEFT_OUT_OF_CHUNKED = fieldKinds([...HOP_BY_HOP, FIELD.server]);
const LEFT_OUT_KEEPING_SERVER = fieldKinds([...HOP_BY_HOP, FIELD.trailer]);
const LEFT_OUT_OF_CHUNKED_KEEPING_SERVER = fieldKinds(HOP_BY_HOP);

/** How the client learns where the body ends. `declared`: there is none, but its length is told (HEAD, 304). */
export type AnswerFraming = 'none' | 'declared' | 'length' | 'chunked' | 'close';

/** What was changed of a response's head, besides the cuts in it. */
export interface HeadEdits {
  /** Undefined where the upstream's own goes on. */
  readonly statusLine: Buffer | undefined;
  /** Appends complete header lines. */
  appendLines(writer: ByteWriter): void;
}

/** The Connection field that an answer carries: none where keeping the connection is the version's default. */
export function connectionLine(keepAlive: boolean, minorVersion: 0 | 1): Buffer {
  if (!keepAlive) return CLOSE_LINE;
  return minorVersion === 0 ? KEEP_ALIVE_LINE : EMPTY_BYTES;
}

/** Appends the head of a final response to the client. The status of a failing upstream, or of any where that is wanted, is repeated, behind those of attempts before it, as APISIX does. */
export function appendResponseHead(
  writer: ByteWriter,
  head: ResponseParser,
  context: EngineContext,
  exchange: Exchange,
  framing: AnswerFraming,
  keepingLine: Buffer,
  edits: HeadEdits | undefined,
): void {
  const tellsStatus = head.status >= 500 || context.showsUpstreamStatus;
  cutOwnFields(head, context.ownResponseFields);
  if (tellsStatus) cutFields(head, UPSTREAM_STATUS_NAME);
  writer.ensure(head.headLength + exchange.failedAttempts.length + 512);
  const leftOut = leftOutOf(context.serverLine, framing);
  if (edits === undefined) {
    appendStart(writer, head, leftOut);
  } else {
    if (edits.statusLine === undefined) appendStatusLine(writer, head);
    else writer.appendAll(edits.statusLine);
    appendFields(writer, head, leftOut, head.fields.lineStart(0), 0);
    edits.appendLines(writer);
  }
  if (context.serverLine !== undefined) writer.appendAll(context.serverLine);
  if (!head.hasDate) writer.appendAll(context.date.line);
  if (tellsStatus) {
    writer.appendAll(UPSTREAM_STATUS);
    if (exchange.failedAttempts !== '') writer.appendAscii(`${exchange.failedAttempts}, `);
    writer.appendDecimal(head.status);
    writer.appendLineEnd();
  }
  context.appendOwnLines(exchange, writer);
  if (framing === 'chunked') {
    writer.appendAll(CHUNKED_LINE);
  } else if (framing === 'length' || framing === 'declared') {
    writer.appendAll(CONTENT_LENGTH);
    writer.appendDecimal(head.contentLength);
    writer.appendLineEnd();
  }
  writer.appendAll(keepingLine);
  writer.appendLineEnd();
}

/** Appends an interim response (RFC 9110 §15.2): status and fields only. */
export function appendInterimHead(writer: ByteWriter, head: ResponseParser, ownFields: readonly Buffer[]): void {
  cutOwnFields(head, ownFields);
  appendStart(writer, head, LEFT_OUT);
  writer.appendLineEnd();
}

/** Whether upstreams cannot set this field in answers, at `bytes[start, end)`. */
export function isOwnField(context: EngineContext, bytes: Buffer, start: number, end: number): boolean {
  if (context.serverLine !== undefined && equalsIgnoringCase(bytes, start, end, SERVER_NAME)) return true;
  if (equalsIgnoringCase(bytes, start, end, UPSTREAM_STATUS_NAME)) return true;
  return context.ownResponseFields.some((name) => equalsIgnoringCase(bytes, start, end, name));
}

function leftOutOf(serverLine: Buffer | undefined, framing: AnswerFraming): Uint8Array {
  if (serverLine === undefined) return framing === 'chunked' ? LEFT_OUT_OF_CHUNKED_KEEPING_SERVER : LEFT_OUT_KEEPING_SERVER;
  return framing === 'chunked' ? LEFT_OUT_OF_CHUNKED : LEFT_OUT;
}

/** Status line and fields; in one piece where the line is as the gateway would write it. */
function appendStart(writer: ByteWriter, head: ResponseParser, leftOut: FieldKinds): void {
  const { bytes, headStart, statusEnd, statusStart } = head;
  if (bytes[headStart + 7] === DIGIT_ONE && statusEnd - statusStart > STATUS_DIGITS) {
    appendFields(writer, head, leftOut, headStart, 0);
    return;
  }
  appendStatusLine(writer, head);
  appendFields(writer, head, leftOut, head.fields.lineStart(0), 0);
}

/** Status and reason as the upstream wrote them; the space behind the status is not optional (RFC 9112 §4). */
function appendStatusLine(writer: ByteWriter, head: ResponseParser): void {
  writer.appendAll(HTTP_11);
  writer.append(head.bytes, head.statusStart, head.statusEnd);
  if (head.statusEnd - head.statusStart === STATUS_DIGITS) writer.appendByte(SPACE);
  writer.appendLineEnd();
}

/** Cuts the fields of these names. */
export function cutOwnFields(head: ResponseParser, lowerCaseNames: readonly Buffer[]): void {
  for (const name of lowerCaseNames) cutFields(head, name);
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
