const PADDING = /=+$/;

/**
 * The bytes of a text in base64 (RFC 4648 §4) with its padding or without; undefined for everything else: other characters, white
 * space, impossible lengths, bits behind the last byte, nothing at all.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  const written = bytes.toString('base64');
  return bytes.length > 0 && (text === written || text === written.replace(PADDING, '')) ? bytes : undefined;
}

/** The bytes of a text in base64url without padding (RFC 7515 §2); undefined for everything else. No two texts give the same bytes. */
export function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
