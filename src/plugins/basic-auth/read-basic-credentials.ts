import { decodeBase64 } from '../../lib/strict-base64.ts';

/** A user name and a password as byte strings, without white space. */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

const BASIC = /^basic[ \t](.+)$/i;
/** ASCII only: other bytes may belong to a character. */
const WHITE_SPACE = /[\t-\r ]+/g;

/**
 * Reads `Authorization: Basic …` (RFC 7617 §2); undefined when it is something else. As in APISIX white space is taken out of both
 * texts, and the password ends at a second colon.
 */
export function readBasicCredentials(authorization: string): BasicCredentials | undefined {
  const encoded = BASIC.exec(authorization)?.[1];
  const decoded = encoded === undefined ? undefined : decodeBase64(encoded)?.toString('latin1');
  if (decoded === undefined) return undefined;
  const [username, password] = decoded.split(':', 2);
  if (username === undefined || password === undefined) return undefined;
  return { username: username.replace(WHITE_SPACE, ''), password: password.replace(WHITE_SPACE, '') };
}
