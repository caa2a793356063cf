import { MAX_PASSWORD_CHARACTERS } from './password-hasher.ts';

const MAX_ENCODED_CHARACTERS = 4_096;

/**
 * User name and password of an `Authorization` header (RFC 7617, in UTF-8); undefined where it has another scheme or is malformed, or
 * either is empty or longer than any that can exist.
 */
export function readBasicCredentials(header: string | undefined): { readonly username: string; readonly password: string } | undefined {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(header ?? '') ?? [];
  if (encoded === '' || encoded.length > MAX_ENCODED_CHARACTERS) return undefined;
  const text = decode(encoded);
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 1) return undefined;
  const username = text.slice(0, colon);
  const password = text.slice(colon + 1);
  const isPossible = password !== '' && [username, password].every((part) => [...part].length <= MAX_PASSWORD_CHARACTERS);
  return isPossible ? { username, password } : undefined;
}

function decode(encoded: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}
