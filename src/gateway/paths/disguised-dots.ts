/** Controls and white space, also those of Unicode, in UTF-8 or as single bytes of Latin-1. */
const BLANK = String.raw`(?:[\x00-\x20\x7f\x85\xa0]|\xc2[\x80-\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8f\xa8-\xaf]|\xe2\x81[\x9f\xa0]|\xe3\x80\x80|\xef\xbb\xbf)`;

/** A dot; or one in more bytes than UTF-8 allows (RFC 3629 §3), which lenient decoders take; or a character that Unicode calls compatible with one or two. */
const DOT = String.raw`(?:\.|\xc0\xae|\xe0\x80\xae|\xf0\x80\x80\xae|\xe2\x80[\xa4\xa5]|\xef\xb9\x92|\xef\xbc\x8e)`;

/** A slash or a backslash of such a kind. */
const SEPARATOR = String.raw`(?:\xc0\xaf|\xc1\x9c|\xe0\x80\xaf|\xe0\x81\x9c|\xf0\x80\x80\xaf|\xf0\x80\x81\x9c|\xef\xbc[\x8f\xbc])`;

const DOTS_AMONG_OTHERS = new RegExp(`(?:^|${SEPARATOR})${BLANK}*${DOT}${BLANK}*(?:${DOT}${BLANK}*)?(?:[;#?]|${SEPARATOR}|$)`);

/**
 * Whether a decoded segment (byte string) that is data to the gateway is `.` or `..` to some servers, or holds it: to those that take white
 * space off or out, that take parameters (`;`) off, that read a decoded `#` or `?` once more as the end of the path, or that take other
 * spellings of dots and slashes for these. Linear in its length.
 */
export function isDisguisedDots(segment: string): boolean {
  return segment !== '.' && segment !== '..' && DOTS_AMONG_OTHERS.test(segment);
}
