import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { ProtocolError } from '../frame-codec.ts';
import { decodeRecord, type JournalRecord } from '../journal-record.ts';
import { Verifier } from '../signing.ts';
import { contentKeyOf, type SnapshotKey } from '../snapshot-key.ts';
import { CHUNK_HEAD_BYTES, openChunk, readChunkHead } from './chunk-cipher.ts';
import { SnapshotFileError } from './snapshot-file-error.ts';
import { decodeSnapshotHeader, requireOwnHeader, SNAPSHOT_HEADER_BYTES, type SnapshotHeader } from './snapshot-header.ts';

/** Above this a file is not read. */
const MAX_SNAPSHOT_FILE_BYTES = 4 * 1024 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** Reads an exported snapshot by streaming. What `records` gives counts only when it has come to its end without an error. */
export class SnapshotFileReader {
  readonly header: SnapshotHeader;
  readonly #handle: FileHandle;
  readonly #key: SnapshotKey;
  readonly #headerBytes: Buffer;
  #offset = SNAPSHOT_HEADER_BYTES;

  private constructor(handle: FileHandle, key: SnapshotKey, headerBytes: Buffer) {
    this.#handle = handle;
    this.#key = key;
    this.#headerBytes = headerBytes;
    this.header = decodeSnapshotHeader(headerBytes);
  }

  /**
   * Reads the header and checks whose it is. Nothing in it is verified before `records` has come to its end.
   * @throws SnapshotFileError for a file that is none, or of another group or installation
   */
  static async open(handle: FileHandle, key: SnapshotKey): Promise<SnapshotFileReader> {
    const status = await handle.stat();
    if (!status.isFile()) throw new SnapshotFileError('it is not a file');
    if (status.size > MAX_SNAPSHOT_FILE_BYTES) throw new SnapshotFileError('it is too large');
    const reader = new SnapshotFileReader(handle, key, await readExactly(handle, 0, SNAPSHOT_HEADER_BYTES));
    requireOwnHeader(reader.header, key);
    return reader;
  }

  /** The records in their order; those that this version does not know are left out. @throws SnapshotFileError */
  async *records(): AsyncGenerator<JournalRecord, void> {
    const contentKey = contentKeyOf(this.#key, Buffer.from(this.header.salt, 'base64'));
    const digest = createHash('sha256');
    for (let number = 0; ; number++) {
      const head = await this.#next(CHUNK_HEAD_BYTES);
      const { sealedBytes, kind } = readChunkHead(head);
      const sealed = await this.#next(sealedBytes);
      const plaintext = openChunk(contentKey, number, kind, sealed, kind === 'end' ? this.#headerBytes : NOTHING);
      if (kind === 'end') return await this.#end(plaintext, digest.update(this.#headerBytes).digest(), number);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(plaintext.length);
      digest.update(length).update(plaintext);
      const record = readRecord(plaintext);
      if (record !== undefined) yield record;
    }
  }

  async #end(signature: Buffer, payloadDigest: Buffer, count: number): Promise<void> {
    const { groupId, revision, signingKey } = this.header;
    const statement = { groupId, kind: 'export', fromRevision: 0, toRevision: revision, count, payloadDigest } as const;
    if (!new Verifier(signingKey).isGenuine(statement, signature.toString('base64'))) {
      throw new SnapshotFileError('its signature is not genuine');
    }
    const { bytesRead } = await this.#handle.read(Buffer.alloc(1), 0, 1, this.#offset);
    if (bytesRead > 0) throw new SnapshotFileError('something stands behind its end');
  }

  async #next(length: number): Promise<Buffer> {
    const bytes = await readExactly(this.#handle, this.#offset, length);
    this.#offset += length;
    return bytes;
  }
}

function readRecord(plaintext: Buffer): JournalRecord | undefined {
  try {
    return decodeRecord(plaintext);
  } catch (error) {
    if (error instanceof ProtocolError) throw new SnapshotFileError('a record in it is malformed');
    throw error;
  }
}

async function readExactly(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) throw new SnapshotFileError('it ends too early');
    read += bytesRead;
  }
  return bytes;
}
