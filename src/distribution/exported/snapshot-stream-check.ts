import { contentKeyOf, type SnapshotKey } from '../snapshot-key.ts';
import { CHUNK_HEAD_BYTES, openChunk, readChunkHead } from './chunk-cipher.ts';
import { SnapshotFileError } from './snapshot-file-error.ts';
import { decodeSnapshotHeader, requireOwnHeader, SNAPSHOT_HEADER_BYTES, type SnapshotHeader } from './snapshot-header.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Looks at an exported snapshot while it arrives, so that no more than one chunk is ever kept of what was not sealed with the group's key: a server
 * without it can send what it likes, and neither fills a disk nor a memory. The signature at the end is not looked at.
 */
export class SnapshotStreamCheck {
  readonly #key: SnapshotKey;
  readonly #judge: (header: SnapshotHeader) => void;
  /** What has come of the next piece, and how much that is. */
  #kept: Buffer = NOTHING;
  #bytes = 0;
  #wanted = SNAPSHOT_HEADER_BYTES;
  #header: Buffer | undefined;
  #contentKey: Buffer = NOTHING;
  #head: ReturnType<typeof readChunkHead> | undefined;
  #chunks = 0;
  #isOver = false;

  /** `judge` throws for a header that nobody wants to go on with. */
  constructor(key: SnapshotKey, judge: (header: SnapshotHeader) => void) {
    this.#key = key;
    this.#judge = judge;
  }

  /** @throws SnapshotFileError when this cannot be part of a snapshot for the key, what `judge` throws */
  add(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#isOver) throw new SnapshotFileError('something stands behind its end');
      const part = rest.subarray(0, this.#wanted - this.#bytes);
      rest = rest.subarray(part.length);
      if (this.#bytes === 0 && part.length === this.#wanted) this.#take(part);
      else this.#keep(part);
    }
  }

  /** @throws SnapshotFileError when the end has not come */
  finish(): void {
    if (!this.#isOver) throw new SnapshotFileError('it ends too early');
  }

  /** Copied: a server that sends single bytes would else have an object kept for each. */
  #keep(part: Buffer): void {
    const bytes = this.#bytes + part.length;
    if (bytes > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#wanted, Math.max(bytes, this.#kept.length * 2)));
      this.#kept.copy(larger, 0, 0, this.#bytes);
      this.#kept = larger;
    }
    part.copy(this.#kept, this.#bytes);
    this.#bytes = bytes;
    if (bytes < this.#wanted) return;
    this.#bytes = 0;
    this.#take(this.#kept.subarray(0, bytes));
  }

  #take(bytes: Buffer): void {
    if (this.#header === undefined) this.#takeHeader(bytes);
    else if (this.#head === undefined) {
      this.#head = readChunkHead(bytes);
      this.#wanted = this.#head.sealedBytes;
    } else {
      const { kind } = this.#head;
      openChunk(this.#contentKey, this.#chunks, kind, bytes, kind === 'end' ? this.#header : NOTHING);
      this.#chunks += 1;
      this.#head = undefined;
      this.#wanted = CHUNK_HEAD_BYTES;
      this.#isOver = kind === 'end';
    }
  }

  #takeHeader(bytes: Buffer): void {
    // The bytes are of a buffer that may be used again.
    this.#header = Buffer.from(bytes);
    const header = decodeSnapshotHeader(bytes);
    requireOwnHeader(header, this.#key);
    this.#judge(header);
    this.#contentKey = contentKeyOf(this.#key, Buffer.from(header.salt, 'base64'));
    this.#wanted = CHUNK_HEAD_BYTES;
  }
}
