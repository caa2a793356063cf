import { COMMA, equalsIgnoringCase, HTAB, SLASH, SPACE, TOKEN_BYTES } from '../parser/character-classes.ts';
import type { HeadParser } from '../parser/head-parser.ts';
import { FIELD } from '../parser/known-fields.ts';
import type { RequestParser } from '../parser/request-parser.ts';
import type { ResponseParser } from '../parser/response-parser.ts';

const UPGRADE = Buffer.from('upgrade', 'latin1');
/** HTTP/2 on a connection that was checked as HTTP/1.1 would carry requests that nobody checks; RFC 9113 §3.1 took it back. */
const REFUSED = ['h2c', 'h2', 'http'].map((name) => Buffer.from(name, 'latin1'));

/** A change of protocol that is offered to the upstream, kept by itself because the head is gone when the answer comes. */
export interface UpgradeOffer {
  /** In lower case. */
  readonly protocol: Buffer;
  /** The lines by which it is offered, and with which it is accepted. */
  readonly lines: Buffer;
}

/**
 * The protocol that a request offers to change to (RFC 9110 §7.8); undefined where there is none that may be forwarded. A server may
 * ignore an offer, so all that is unclear is ignored: several protocols, HTTP by another name, HTTP/1.0, an offer that Connection
 * does not name, and one in front of a body.
 */
export function upgradeOffer(head: RequestParser): UpgradeOffer | undefined {
  if (head.minorVersion === 0 || head.body === 'chunked' || head.contentLength > 0) return undefined;
  const index = singleProtocol(head);
  if (index === -1 || !connectionNamesUpgrade(head)) return undefined;
  const start = head.fields.valueStart(index);
  const end = head.fields.valueEnd(index);
  for (const name of REFUSED) if (equalsIgnoringCase(head.bytes, start, nameEnd(head.bytes, start, end), name)) return undefined;
  const protocol = head.bytes.toString('latin1', start, end);
  return {
    protocol: Buffer.from(protocol.toLowerCase(), 'latin1'),
    lines: Buffer.from(`Connection: upgrade\r\nUpgrade: ${protocol}\r\n`, 'latin1'),
  };
}

/** Whether a response with status 101 changes to what was offered and to nothing else. */
export function acceptsUpgrade(head: ResponseParser, offer: UpgradeOffer): boolean {
  if (head.minorVersion === 0) return false;
  const index = singleProtocol(head);
  return index !== -1 && equalsIgnoringCase(head.bytes, head.fields.valueStart(index), head.fields.valueEnd(index), offer.protocol);
}

/** Index of the one Upgrade field with one protocol, or -1. */
function singleProtocol(head: HeadParser): number {
  const fields = head.fields;
  let found = -1;
  for (let index = 0; index < fields.count; index++) {
    if (fields.kind(index) !== FIELD.upgrade) continue;
    if (found !== -1) return -1;
    found = index;
  }
  return found !== -1 && isProtocol(head.bytes, fields.valueStart(found), fields.valueEnd(found)) ? found : -1;
}

/** `name` or `name/version`, both tokens. */
function isProtocol(bytes: Buffer, start: number, end: number): boolean {
  let slashes = 0;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (byte === SLASH && index > start && index < end - 1 && slashes === 0) slashes++;
    else if (TOKEN_BYTES[byte] !== 1) return false;
  }
  return start < end;
}

function nameEnd(bytes: Buffer, start: number, end: number): number {
  let position = start;
  while (position < end && bytes[position] !== SLASH) position++;
  return position;
}

function connectionNamesUpgrade(head: HeadParser): boolean {
  const fields = head.fields;
  for (let index = 0; index < fields.count; index++) {
    if (fields.kind(index) === FIELD.connection && listNames(head.bytes, fields.valueStart(index), fields.valueEnd(index))) return true;
  }
  return false;
}

function listNames(bytes: Buffer, start: number, end: number): boolean {
  let position = start;
  while (position < end) {
    while (position < end && isSeparator(bytes[position])) position++;
    const optionStart = position;
    while (position < end && !isSeparator(bytes[position])) position++;
    if (equalsIgnoringCase(bytes, optionStart, position, UPGRADE)) return true;
  }
  return false;
}

function isSeparator(byte: number | undefined): boolean {
  return byte === COMMA || byte === SPACE || byte === HTAB;
}
