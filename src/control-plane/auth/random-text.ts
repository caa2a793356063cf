import type { Random } from '../../lib/random.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** No 0, 1, i, l, o: what is read from one screen and typed on another must not be mistaken. */
const READABLE = '23456789abcdefghjkmnpqrstuvwxyz';

/** How the admin key of a gateway group begins. */
export const ADMIN_KEY_PREFIX = 'a7adm-';

/** `length` characters of an alphabet (at most 256), each equally likely. */
function randomText(random: Random, alphabet: string, length: number): string {
  const limit = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of random.bytes(length - text.length)) {
      if (byte < limit) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}

/** A new API token: `a7ee-`, API7's prefix of user access tokens, and 256 random bits. */
export function randomToken(random: Random): string {
  return `a7ee-${randomText(random, BASE62, 43)}`;
}

/**
 * A new admin key of a gateway group: `a7adm-`, by which API7's clients tell it from a token, 256 random bits, and the group that it belongs
 * to, which is no secret and leads to the key's digest.
 */
export function randomAdminKey(random: Random, groupId: string): string {
  return `${ADMIN_KEY_PREFIX}${randomText(random, BASE62, 43)}.${groupId}`;
}

/** A password of 99 random bits in five groups that can be read aloud: `k7mq-…`. */
export function randomPassword(random: Random): string {
  return Array.from({ length: 5 }, () => randomText(random, READABLE, 4)).join('-');
}

/** A version 4 UUID (RFC 9562). */
export function randomId(random: Random): string {
  const bytes = random.bytes(16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
