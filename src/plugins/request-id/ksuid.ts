import type { RandomNumbers } from '../../lib/random-numbers.ts';

/** Seconds of 1970 at which time begins (segmentio/ksuid). */
const EPOCH_SECONDS = 1_400_000_000;
const TIME_BYTES = 4;
const PAYLOAD_BYTES = 16;
const CHARACTERS = 27;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = DIGITS.length;
const WORD = 2 ** 32;

/** A KSUID: the seconds since May 2014 and 128 random bits, in base 62 (segmentio/ksuid). Those of a later second sort behind. */
export function ksuid(numbers: RandomNumbers, nowMs: number): string {
  const bytes = Buffer.alloc(TIME_BYTES + PAYLOAD_BYTES);
  bytes.writeUInt32BE((Math.floor(nowMs / 1000) - EPOCH_SECONDS) >>> 0);
  bytes.set(numbers.bytes(PAYLOAD_BYTES), TIME_BYTES);
  return base62(bytes);
}

/** Divides the number by 62 again and again; each step keeps the remainder, which is the next digit from behind. */
function base62(bytes: Buffer): string {
  const words = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
  let text = '';
  for (let digit = 0; digit < CHARACTERS; digit++) {
    let remainder = 0;
    for (const [index, word] of words.entries()) {
      const value = remainder * WORD + word;
      words[index] = Math.floor(value / BASE);
      remainder = value % BASE;
    }
    text = DIGITS.charAt(remainder) + text;
  }
  return text;
}
