/** Byte tables: one look-up says what a byte may be. An entry is 1 where the byte belongs to the class. */

function classOf(belongs: (byte: number) => boolean): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) table[byte] = belongs(byte) ? 1 : 0;
  return table;
}

function bytesOf(text: string): ReadonlySet<number> {
  return new Set(Buffer.from(text, 'latin1'));
}

const LETTERS_AND_DIGITS = bytesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789');
const TOKEN_MARKS = bytesOf("!#$%&'*+-.^_`|~");
const HOST_MARKS = bytesOf("-._~!$&'()*+;=");
const IPV6_CHARACTERS = bytesOf('0123456789abcdefABCDEF:.');

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const QUESTION_MARK = 0x3f;

/** `tchar` of RFC 9110 §5.6.2: methods, field names, connection options. */
export const TOKEN_BYTES = classOf((byte) => LETTERS_AND_DIGITS.has(byte) || TOKEN_MARKS.has(byte));

/** Bytes of a field value, RFC 9110 §5.5: HTAB, SP, visible characters and `obs-text`; no other control. */
export const FIELD_VALUE_BYTES = classOf((byte) => byte === HTAB || (byte >= SPACE && byte !== 0x7f));

/**
 * Bytes of a request target. Wider than the grammar of RFC 3986, as browsers and the servers behind gateways are: everything but
 * controls, space and `#`, for a fragment never belongs into a request (RFC 9112 §3.2).
 */
export const TARGET_BYTES = classOf((byte) => byte > SPACE && byte !== 0x7f && byte !== 0x23);

/**
 * Bytes of a `reg-name` or IPv4 address (RFC 3986 §3.2.2) without the comma, which would make two joined Host lines look like one,
 * and without percent-encoding, which the gateway and an upstream might read differently.
 */
export const HOST_BYTES = classOf((byte) => LETTERS_AND_DIGITS.has(byte) || HOST_MARKS.has(byte));

/** Bytes between the brackets of an IPv6 literal. */
export const IPV6_BYTES = classOf((byte) => IPV6_CHARACTERS.has(byte));

/** The byte in lower case, where it is an ASCII letter. */
export const LOWER_CASE = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));

/** The value of a hexadecimal digit, or 255. */
export const HEX_VALUES = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = LOWER_CASE[byte] ?? 0;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : 255;
});

/** Whether `bytes[start, end)` is `lowerCaseText`, letters compared without case. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, lowerCaseText: Uint8Array): boolean {
  if (end - start !== lowerCaseText.length) return false;
  for (let index = 0; index < lowerCaseText.length; index++) {
    if (LOWER_CASE[bytes[start + index] ?? 0] !== lowerCaseText[index]) return false;
  }
  return true;
}
