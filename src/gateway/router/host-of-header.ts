const COLON = 0x3a;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACKET = 0x5b;
const DOT = 0x2e;

/**
 * The host by which routes are matched, from the bytes of a valid Host value (or authority): without port, without the brackets
 * of an IPv6 address, without one trailing dot (the same name, written absolutely), in lower case. `''` for an empty value.
 */
export function hostOfHeader(bytes: Buffer, start: number, end: number): string {
  if (bytes[start] === OPENING_BRACKET) return textOf(bytes, start + 1, endBefore(bytes, start, end, CLOSING_BRACKET));
  const nameEnd = endBefore(bytes, start, end, COLON);
  const hasTrailingDot = nameEnd - start > 1 && bytes[nameEnd - 1] === DOT;
  return textOf(bytes, start, hasTrailingDot ? nameEnd - 1 : nameEnd);
}

/** Where the first such byte stands, or `end`. */
function endBefore(bytes: Buffer, start: number, end: number, byte: number): number {
  for (let index = start; index < end; index++) if (bytes[index] === byte) return index;
  return end;
}

function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end).toLowerCase();
}
