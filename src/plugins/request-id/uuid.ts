import type { RandomNumbers } from '../../lib/random-numbers.ts';

const BYTES = 16;

/** A UUID of random bits (RFC 9562 §5.4). */
export function randomUUID(numbers: RandomNumbers): string {
  return formatUUID(numbers.bytes(BYTES), 4);
}

/** A UUID that begins with the time, in milliseconds since 1970, so that later ones sort behind (RFC 9562 §5.7). */
export function timeOrderedUUID(numbers: RandomNumbers, nowMs: number): string {
  const bytes = numbers.bytes(BYTES);
  bytes.writeUIntBE(Math.floor(nowMs), 0, 6);
  return formatUUID(bytes, 7);
}

/** Writes version and variant into the bytes. */
function formatUUID(bytes: Buffer, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
