import { equalsIgnoringCase } from './character-classes.ts';

const CHUNKED = Buffer.from('chunked', 'latin1');

/**
 * The number that a Content-Length value says, or -1 where it is not plain digits or no safe integer (RFC 9110 §8.6).
 * A list of equal numbers is refused as well: two parsers may disagree about it.
 */
export function parseContentLength(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) return -1;
  let length = 0;
  for (let position = start; position < end; position++) {
    const digit = (bytes[position] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) return -1;
  }
  return length;
}

/** Whether a Transfer-Encoding value is `chunked` and nothing else. */
export function isChunked(bytes: Uint8Array, start: number, end: number): boolean {
  return equalsIgnoringCase(bytes, start, end, CHUNKED);
}
