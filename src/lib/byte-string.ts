// biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant, controls as well.
const ASCII = /^[\x00-\x7f]*$/;

/**
 * Text as a byte string: its UTF-8 bytes, one character per byte. Requests are matched byte by byte in this form, so
 * configured text is brought into it once.
 */
export function byteStringOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}
