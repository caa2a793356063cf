import type { ByteWriter } from '../../lib/byte-writer.ts';
import type { ForwardPlan } from '../exchange.ts';
import { FIELD } from '../parser/known-fields.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import { appendFields, fieldKinds, HOP_BY_HOP } from './field-writer.ts';
import { CHUNKED_LINE, CONTENT_LENGTH, HOST, HTTP_11_LINE_END } from './fixed-lines.ts';

const SPACE = 0x20;
/** RFC 9112 §3.2.4: what OPTIONS of an authority alone goes on as. */
const ASTERISK = 0x2a;
const LEFT_OUT = fieldKinds([...HOP_BY_HOP, FIELD.host, FIELD.expect, FIELD.trailer]);
/** Trailer fields are sent on only behind a chunked body, so only there are they announced. */
const LEFT_OUT_OF_CHUNKED = fieldKinds([...HOP_BY_HOP, FIELD.host, FIELD.expect]);

/**
 * Appends the head of the forwarded request: the client's bytes with cuts, exactly one Host, the gateway's lines, the engine's
 * framing. A request without Host (HTTP/1.0) gets an empty one, as RFC 9112 §3.2 says for a target without authority.
 * `upgradeLines` offer a change of protocol, or are empty. Returns how far into the message the value of Host begins.
 */
export function appendRequestHead(writer: ByteWriter, head: RequestParser, plan: ForwardPlan, upgradeLines: Buffer): number {
  const chunked = head.body === 'chunked';
  writer.ensure(head.headLength + 512);
  writer.append(head.bytes, head.methodStart, head.methodEnd);
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
  appendFields(writer, head, chunked ? LEFT_OUT_OF_CHUNKED : LEFT_OUT);
  plan.appendRequestLines(writer);
  writer.appendAll(upgradeLines);
  if (chunked) {
    writer.appendAll(CHUNKED_LINE);
  } else if (head.body === 'length') {
    writer.appendAll(CONTENT_LENGTH);
    writer.appendDecimal(head.contentLength);
    writer.appendLineEnd();
  }
  writer.appendLineEnd();
  return hostOffset;
}
