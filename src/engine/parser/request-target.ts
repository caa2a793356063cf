import { COLON, equalsIgnoringCase, HOST_BYTES, IPV6_BYTES, QUESTION_MARK, SLASH } from './character-classes.ts';

const HTTP = Buffer.from('http://', 'latin1');
const HTTPS = Buffer.from('https://', 'latin1');
const LEFT_BRACKET = 0x5b;
const RIGHT_BRACKET = 0x5d;
const MOST_PORT_DIGITS = 5;
const HIGHEST_PORT = 65_535;

/**
 * Where the authority of an absolute-form target begins (RFC 9112 §3.2.2), or -1 when `bytes[start, end)` has no `http://` or
 * `https://` in front.
 */
export function authorityStart(bytes: Uint8Array, start: number, end: number): number {
  if (equalsIgnoringCase(bytes, start, Math.min(end, start + HTTP.length), HTTP)) return start + HTTP.length;
  if (equalsIgnoringCase(bytes, start, Math.min(end, start + HTTPS.length), HTTPS)) return start + HTTPS.length;
  return -1;
}

/** Where the authority that begins at `start` ends: at the path, the query or the end of the target. */
export function authorityEnd(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end && bytes[position] !== SLASH && bytes[position] !== QUESTION_MARK) position++;
  return position;
}

/**
 * Whether `bytes[start, end)` is a host with an optional port (RFC 9110 §7.2): a name, an IPv4 address or an IPv6 literal in
 * brackets. Empty hosts, user information and ports of more than five digits or above 65535 are refused.
 */
export function isHost(bytes: Uint8Array, start: number, end: number): boolean {
  let position = start;
  if (bytes[start] === LEFT_BRACKET) {
    position++;
    while (position < end && IPV6_BYTES[bytes[position] ?? 0] === 1) position++;
    if (position === end || bytes[position] !== RIGHT_BRACKET || position - start < 3) return false;
    position++;
  } else {
    while (position < end && HOST_BYTES[bytes[position] ?? 0] === 1) position++;
    if (position === start) return false;
  }
  return position === end || (bytes[position] === COLON && isPort(bytes, position + 1, end));
}

function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > MOST_PORT_DIGITS) return false;
  let port = 0;
  for (let position = start; position < end; position++) {
    const byte = bytes[position] ?? 0;
    if (byte < 0x30 || byte > 0x39) return false;
    port = port * 10 + byte - 0x30;
  }
  return port <= HIGHEST_PORT;
}
