import { createCipheriv, createDecipheriv } from 'node:crypto';
import { MAX_FRAME_BYTES } from '../protocol.ts';
import { SnapshotFileError } from './snapshot-file-error.ts';

/** What a chunk holds: a record of the configuration, or the end of the file. */
export type ChunkKind = 'record' | 'end';

/** Length of what follows, and the kind. */
export const CHUNK_HEAD_BYTES = 5;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A record is at most a message of the protocol with its fields. */
const MAX_SEALED_BYTES = MAX_FRAME_BYTES + 64 * 1024;

/**
 * A chunk as it lies in the file: head, AES-256-GCM ciphertext, tag. Its number is the nonce and its head is authenticated, so chunks
 * neither change places nor get lost; the end is authenticated with the file's header (`bound`), so the file cannot stop early.
 */
export function sealChunk(key: Buffer, number: number, kind: ChunkKind, plaintext: Buffer, bound: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number), { authTagLength: TAG_BYTES });
  const head = headOf(plaintext.length + TAG_BYTES, kind);
  cipher.setAAD(Buffer.concat([head, bound]));
  return Buffer.concat([head, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** What the head of a chunk announces. @throws SnapshotFileError */
export function readChunkHead(head: Buffer): { readonly sealedBytes: number; readonly kind: ChunkKind } {
  const sealedBytes = head.readUInt32BE(0);
  const kind = head.readUInt8(4);
  if (sealedBytes < TAG_BYTES || sealedBytes > MAX_SEALED_BYTES || kind > 1) throw new SnapshotFileError('it is damaged');
  return { sealedBytes, kind: kind === 1 ? 'end' : 'record' };
}

/** @throws SnapshotFileError when the bytes were changed, stand elsewhere or were sealed with another key */
export function openChunk(key: Buffer, number: number, kind: ChunkKind, sealed: Buffer, bound: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([headOf(sealed.length, kind), bound]));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()]);
  } catch {
    throw new SnapshotFileError('it was changed, or another snapshot key belongs to it');
  }
}

function headOf(sealedBytes: number, kind: ChunkKind): Buffer {
  const head = Buffer.alloc(CHUNK_HEAD_BYTES);
  head.writeUInt32BE(sealedBytes, 0);
  head.writeUInt8(kind === 'end' ? 1 : 0, 4);
  return head;
}

/** Each file has a key of its own, so that counting makes no nonce twice. */
function nonceOf(number: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUIntBE(number, NONCE_BYTES - 6, 6);
  return nonce;
}
