import { type FileHandle, open } from 'node:fs/promises';
import { openRecord, RECORD_HEAD_BYTES, type RecordPlace, readRecordHead } from './journal-cipher.ts';
import { decodeRecord, type JournalRecord } from './journal-record.ts';

/**
 * What comes next in a file. `torn`: the last record was never written to its end. `damaged`: bytes were changed; what follows
 * cannot be trusted.
 */
export type JournalRead =
  /** `record` is undefined when it was written by a later version. */
  | { readonly kind: 'record'; readonly record: JournalRecord | undefined; readonly place: RecordPlace; readonly bytes: number }
  | { readonly kind: 'end'; readonly state: 'whole' | 'torn' | 'damaged'; readonly place: RecordPlace };

const CHUNK_BYTES = 256 * 1024;

/** Reads the records of one journal file one after the other, from any record on; never more than a record is in memory. */
export class JournalReader {
  readonly #handle: FileHandle;
  readonly #key: Buffer;
  #place: RecordPlace;
  /** Bytes from `#place.offset` on that were read ahead. */
  #ahead: Buffer = Buffer.alloc(0);

  private constructor(handle: FileHandle, key: Buffer, place: RecordPlace) {
    this.#handle = handle;
    this.#key = key;
    this.#place = place;
  }

  static async open(file: string, key: Buffer, place: RecordPlace): Promise<JournalReader> {
    return new JournalReader(await open(file, 'r'), key, place);
  }

  get file(): number {
    return this.#place.file;
  }

  /** Goes to another record of the same file. */
  seek(place: RecordPlace): void {
    const distance = place.offset - this.#place.offset;
    const isAhead = distance >= 0 && distance <= this.#ahead.length;
    this.#ahead = isAhead ? this.#ahead.subarray(distance) : Buffer.alloc(0);
    this.#place = place;
  }

  async next(): Promise<JournalRead> {
    const place = this.#place;
    const head = await this.#peek(RECORD_HEAD_BYTES);
    if (head === undefined) return { kind: 'end', state: this.#ahead.length === 0 ? 'whole' : 'torn', place };
    const length = readRecordHead(head);
    // A file can have grown by a write whose bytes never reached the disk before the power went; it then ends in zeros.
    if (length === undefined) return { kind: 'end', state: head.every((byte) => byte === 0) ? 'torn' : 'damaged', place };
    const whole = await this.#peek(RECORD_HEAD_BYTES + length);
    if (whole === undefined) return { kind: 'end', state: 'torn', place };
    let record: JournalRecord | undefined;
    try {
      record = decodeRecord(openRecord(this.#key, whole.subarray(RECORD_HEAD_BYTES), place));
    } catch {
      return { kind: 'end', state: 'damaged', place };
    }
    this.#ahead = this.#ahead.subarray(whole.length);
    this.#place = { file: place.file, offset: place.offset + whole.length, index: place.index + 1 };
    return { kind: 'record', record, place, bytes: whole.length };
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  /** The next `length` bytes without moving on; undefined when the file ends before. */
  async #peek(length: number): Promise<Buffer | undefined> {
    while (this.#ahead.length < length) {
      const chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, length - this.#ahead.length));
      const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, this.#place.offset + this.#ahead.length);
      if (bytesRead === 0) return undefined;
      this.#ahead = Buffer.concat([this.#ahead, chunk.subarray(0, bytesRead)]);
    }
    return this.#ahead.subarray(0, length);
  }
}
