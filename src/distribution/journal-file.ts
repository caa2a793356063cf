import { type FileHandle, open } from 'node:fs/promises';
import type { Random } from '../lib/random.ts';
import { type RecordPlace, sealRecord } from './journal-cipher.ts';
import { encodeRecord, type JournalRecord } from './journal-record.ts';

/** What journal files are written with. */
export interface JournalFileOptions {
  readonly key: Buffer;
  readonly random: Random;
}

/** The writing end of one journal file, mode 0600. A write that fails leaves the file as it was before. */
export class JournalFile {
  readonly #handle: FileHandle;
  readonly #options: JournalFileOptions;
  #end: RecordPlace;
  #needsCut = false;

  private constructor(handle: FileHandle, end: RecordPlace, options: JournalFileOptions) {
    this.#handle = handle;
    this.#end = end;
    this.#options = options;
  }

  /** A new, empty file; one of that name is replaced. */
  static async create(path: string, file: number, options: JournalFileOptions): Promise<JournalFile> {
    return new JournalFile(await open(path, 'w', 0o600), { file, offset: 0, index: 0 }, options);
  }

  /** An existing file; what lies behind `end` is cut off. */
  static async reopen(path: string, end: RecordPlace, options: JournalFileOptions): Promise<JournalFile> {
    const handle = await open(path, 'r+');
    try {
      await handle.truncate(end.offset);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new JournalFile(handle, end, options);
  }

  get number(): number {
    return this.#end.file;
  }

  /** Writes a record; with `durable` it has reached the disk when the promise resolves. */
  async append(
    record: JournalRecord,
    options: { readonly durable: boolean },
  ): Promise<{ readonly place: RecordPlace; readonly bytes: number }> {
    const place = this.#end;
    if (this.#needsCut) await this.#handle.truncate(place.offset);
    const sealed = sealRecord(this.#options.key, encodeRecord(record), place, this.#options.random);
    this.#needsCut = true;
    await this.#writeAll(sealed, place.offset);
    if (options.durable) await this.#handle.datasync();
    this.#needsCut = false;
    this.#end = { file: place.file, offset: place.offset + sealed.length, index: place.index + 1 };
    return { place, bytes: sealed.length };
  }

  /** All that was written, and the file's length, have reached the disk when the promise resolves. */
  sync(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #writeAll(bytes: Buffer, offset: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, offset + written);
      written += bytesWritten;
    }
  }
}
