import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { ForwardPlan } from '../exchange.ts';
import { FIELD } from '../parser/known-fields.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import { appendFields, fieldKinds, HOP_BY_HOP } from './field-writer.ts';
import { CHUNKED_LINE, CONTENT_LENGTH, HOST, HTTP_11_LINE_END } from './fixed-lines.ts';

const SPACE = 0x20;
const DIGIT_ONE = 0x31;
/** RFC 9112 §3.2.4: what OPTIONS of an authority alone goes on as. */
const ASTERISK = 0x2a;
const LEFT_OUT = fieldKinds([...HOP_BY_HOP, FIELD.host, FIELD.expect, FIELD.trailer]);
/** Trailer fields are sent on only behind a chunked body, so only there are they announced. */
const LEFT_OUT_OF_CHUNKED = fieldKinds([...HOP_BY_HOP, FIELD.host, FIELD.expect]);

/**
 * Appends the head of the forwarded request: the client's bytes with cuts, exactly one Host, the gateway's lines, the engine's
 * framing. A request without Host (HTTP/1.0) for which the plan has none either gets an empty one, as RFC 9112 §3.2 says for a target
 * without authority.
 * `upgradeLines` offer a change of protocol, or are empty. `bodyLength` is that of a body in place of the client's, or -1. Returns how
 * far into the message the value of Host begins.
 */
export function appendRequestHead(
  writer: ByteWriter,
  head: RequestParser,
  plan: ForwardPlan,
  upgradeLines: Buffer,
  bodyLength: number,
): number {
  const chunked = head.body === 'chunked' && bodyLength === -1;
  const leftOut = chunked ? LEFT_OUT_OF_CHUNKED : LEFT_OUT;
  writer.ensure(head.headLength + 512);
  let hostOffset: number;
  if (plan.requestMethod === undefined && plan.requestTarget === undefined && plan.hostValue === undefined && isUsual(head)) {
    hostOffset = writer.length + head.hostStart - head.headStart;
    appendFields(writer, head, leftOut, head.headStart, 1);
  } else {
    hostOffset = appendLineAndHost(writer, head, plan);
    appendFields(writer, head, leftOut, head.fields.lineStart(0), 0);
  }
  plan.appendRequestLines(writer);
  if (upgradeLines.length > 0) writer.appendAll(upgradeLines);
  if (chunked) {
    writer.appendAll(CHUNKED_LINE);
  } else if (bodyLength !== -1 || head.body === 'length') {
    writer.appendAll(CONTENT_LENGTH);
    writer.appendDecimal(bodyLength === -1 ? head.contentLength : bodyLength);
    writer.appendLineEnd();
  }
  writer.appendLineEnd();
  return hostOffset;
}

/** Whether request line and Host stand first and are such as the gateway would write them, so that they can go on in one piece. */
function isUsual(head: RequestParser): boolean {
  const { bytes, fields, targetEnd, hostStart } = head;
  const lineStart = fields.lineStart(0);
  if (head.targetStart !== head.methodEnd + 1 || lineStart !== targetEnd + HTTP_11_LINE_END.length) return false;
  if (bytes[targetEnd + 8] !== DIGIT_ONE) return false;
  if (hostStart !== lineStart + HOST.length || fields.lineStart(1) !== head.hostEnd + 2 || fields.cuts[0] !== 0) return false;
  for (let index = 0; index < HOST.length; index++) if (bytes[lineStart + index] !== HOST[index]) return false;
  return true;
}

/** Returns as `appendRequestHead` does. */
function appendLineAndHost(writer: ByteWriter, head: RequestParser, plan: ForwardPlan): number {
  if (plan.requestMethod === undefined) writer.append(head.bytes, head.methodStart, head.methodEnd);
  else writer.appendAll(plan.requestMethod);
  writer.appendByte(SPACE);
  if (plan.requestTarget !== undefined) writer.appendAll(plan.requestTarget);
  else if (head.targetStart === head.targetEnd) writer.appendByte(ASTERISK);
  else writer.append(head.bytes, head.targetStart, head.targetEnd);
  writer.appendAll(HTTP_11_LINE_END);
  writer.appendAll(HOST);
  const hostOffset = writer.length;
  if (plan.hostValue === undefined) writer.append(head.bytes, head.hostStart, head.hostEnd);
  else writer.appendAll(plan.hostValue);
  writer.appendLineEnd();
  return hostOffset;
}
