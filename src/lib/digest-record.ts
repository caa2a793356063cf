import { DIGEST_BYTES } from './key-digest.ts';
import { UNIT_BYTES } from './record-arena.ts';

/** Words of a record: one of head (space and payload length), eight of digest, then the payload's bytes. */
export const WORDS_PER_UNIT = UNIT_BYTES / 4;
export const DIGEST_WORD = 1;
export const DIGEST_WORDS = DIGEST_BYTES / 4;
export const PAYLOAD_OFFSET = 4 + DIGEST_BYTES;
const PAYLOAD_LENGTH_BITS = 24;
export const MAX_PAYLOAD_BYTES = 2 ** PAYLOAD_LENGTH_BITS - 1;

/** Spaces are one byte. */
export const MAX_SPACE = 255;

/** The head word of a record. */
export function headWord(space: number, payloadLength: number): number {
  return ((space << PAYLOAD_LENGTH_BITS) | payloadLength) >>> 0;
}

export function spaceOfHead(head: number): number {
  return head >>> PAYLOAD_LENGTH_BITS;
}

export function payloadLengthOfHead(head: number): number {
  return head & MAX_PAYLOAD_BYTES;
}

/**
 * The seeded hash that places a digest. Digests are spread evenly already; the seed keeps a person who can choose keys and
 * knows the salt from piling them up in one place.
 */
export function hashDigest(seed: number, space: number, word0: number, word1: number): number {
  let hash = Math.imul(word0 ^ seed, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ word1 ^ Math.imul(space, 0x27d4eb2f), 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13) ^ seed, 0x85ebca6b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
