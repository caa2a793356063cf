/** Controls and white space, also those of Unicode, in UTF-8 or as single bytes of Latin-1. */
const BLANK = String.raw`(?:[\x00-\x20\x7f\x85\xa0]|\xc2[\x80-\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8f\xa8-\xaf]|\xe2\x81[\x9f\xa0]|\xe3\x80\x80|\xef\xbb\xbf)`;

const DOTS_AMONG_OTHERS = new RegExp(String.raw`^${BLANK}*\.${BLANK}*(?:\.${BLANK}*)?(?:[;#?]|$)`);

/**
 * Whether a decoded segment (byte string) that is data to the gateway is `.` or `..` to some servers: to those that take white space off or
 * out, that take parameters (`;`) off, or that read a decoded `#` or `?` once more as the end of the path. Linear in its length.
 */
export function isDisguisedDots(segment: string): boolean {
  return segment !== '.' && segment !== '..' && DOTS_AMONG_OTHERS.test(segment);
}
