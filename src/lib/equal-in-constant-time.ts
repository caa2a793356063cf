import { timingSafeEqual } from 'node:crypto';

/** Whether two texts are equal, in a time that depends on nothing but their lengths: for digests, signatures and tokens. */
export function equalInConstantTime(left: string, right: string): boolean {
  // Two bytes a character: in latin1 two different characters could become the same byte.
  return left.length === right.length && timingSafeEqual(Buffer.from(left, 'utf16le'), Buffer.from(right, 'utf16le'));
}
