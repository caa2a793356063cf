import { StringDecoder } from 'node:string_decoder';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant, controls as well.
const ASCII = /^[\x00-\x7f]*$/;
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that a byte string spells in UTF-8. What is no UTF-8 keeps one character for each byte, so that no byte is hidden. */
export function textOfByteString(bytes: string): string {
  if (ASCII.test(bytes)) return bytes;
  try {
    return strictDecoder.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes;
  }
}

/** The text of a body that may have been cut in the middle of a character, which then is left out. What is no UTF-8 becomes U+FFFD. */
export function textOfBody(body: Uint8Array): string {
  return new StringDecoder('utf8').write(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}
