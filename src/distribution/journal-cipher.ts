import { createCipheriv, createDecipheriv } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { Random } from '../lib/random.ts';
import { MAX_FRAME_BYTES } from './protocol.ts';

/** Length of what follows, and a checksum of the length, which tells a record that was cut off from one that was changed. */
export const RECORD_HEAD_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_SEALED_BYTES = MAX_FRAME_BYTES + 64 * 1024;

/** Where a record lies: its file, the offset of its head, and how many records stand before it. */
export interface RecordPlace {
  readonly file: number;
  readonly offset: number;
  readonly index: number;
}

/**
 * A record as it lies on disk: head, nonce, AES-256-GCM ciphertext, tag. Its place is authenticated with it, so records can
 * neither change places nor move to another file.
 */
export function sealRecord(key: Buffer, plaintext: Buffer, place: RecordPlace, random: Random): Buffer {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(placeBytes(place));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const length = NONCE_BYTES + ciphertext.length + TAG_BYTES;
  if (length > MAX_SEALED_BYTES) throw new RangeError('a record is too large for the journal');
  const head = Buffer.alloc(RECORD_HEAD_BYTES);
  head.writeUInt32BE(length, 0);
  head.writeUInt32BE(crc32(head.subarray(0, 4)), 4);
  return Buffer.concat([head, nonce, ciphertext, cipher.getAuthTag()]);
}

/** The length that a head announces; undefined when it is no head. */
export function readRecordHead(head: Buffer): number | undefined {
  const length = head.readUInt32BE(0);
  const isHead = head.readUInt32BE(4) === crc32(head.subarray(0, 4)) && length >= NONCE_BYTES + TAG_BYTES && length <= MAX_SEALED_BYTES;
  return isHead ? length : undefined;
}

/** @throws Error when the bytes were changed, belong elsewhere or were sealed with another key */
export function openRecord(key: Buffer, sealed: Buffer, place: RecordPlace): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(placeBytes(place));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
}

function placeBytes(place: RecordPlace): Buffer {
  return Buffer.from(`portcullis-journal-1 ${place.file} ${place.offset} ${place.index}`);
}
