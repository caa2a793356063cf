import { openSync } from 'node:fs';
import { StartError } from '../errors/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { type CancelTask, type Clock, systemClock } from '../lib/clock.ts';
import { AccessLogStream } from './access-log-stream.ts';
import { systemCodeOf } from './describe-error.ts';
import type { Logger } from './logger.ts';

export interface AccessLogOptions {
  /** Appended to, made with mode 0600. Every thread opens it for itself. */
  readonly file: string;
  /** Lines that wait for the disk beyond this are dropped. */
  readonly maxBufferedBytes: number;
  /** Told once when writing fails, and once when it works again. */
  readonly log?: Logger;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** One JSON line a request, written off the request path. */
export interface AccessLog {
  /**
   * Where the next line is to be written, in printable ASCII and without its line break; answered by `endLine`. Undefined when
   * the line would be lost to pressure; it counts as dropped. Never waits, never throws.
   */
  beginLine(): ByteWriter | undefined;
  /** Takes what was written since `beginLine`. */
  endLine(): void;
  /** Goes on in a new file of the same name, after somebody renamed the old one. No line is lost. */
  reopen(): void;
  /** Resolves when everything taken so far is on its way to the disk, or cannot be brought there. */
  flush(): Promise<void>;
  /** Writes what is left, for at most two seconds. */
  close(): Promise<void>;
  /** Lines lost to pressure or to a failing disk. */
  readonly dropped: number;
}

/**
 * Lines are handed over in batches of this size, which is also one write; several threads append whole batches, never mixed lines. Waking
 * the thread that writes costs as much as ten lines: at 32 KiB it was a tenth of what the log costs.
 */
const BATCH_BYTES = 128 * 1024;

/** Room behind a batch for the line that fills it. */
const ROOM_BYTES = 8 * 1024;
const LINE_FEED = 0x0a;
/** … or after this time, whichever comes first. */
const BATCH_DELAY_MS = 200;

/** @throws StartError when the file cannot be opened. */
export function openAccessLog(options: AccessLogOptions): AccessLog {
  return new BatchedAccessLog(options);
}

class BatchedAccessLog implements AccessLog {
  readonly #options: AccessLogOptions;
  readonly #clock: Clock;
  #stream: AccessLogStream;
  readonly #batch = new ByteWriter(Buffer.alloc(0), BATCH_BYTES + ROOM_BYTES);
  #batchedLines = 0;
  /** End of the last whole line: what stands behind it was begun and never ended. */
  #batchEnd = 0;
  #dropped = 0;
  #failing = false;
  #closed = false;
  #cancelHandOver: CancelTask | undefined;

  constructor(options: AccessLogOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    try {
      this.#stream = this.#open();
    } catch (error) {
      throw new StartError(
        `The access log ${options.file} cannot be opened (${systemCodeOf(error)}): correct it or choose another with --access-log.`,
        { cause: error },
      );
    }
  }

  get dropped(): number {
    return this.#dropped;
  }

  beginLine(): ByteWriter | undefined {
    if (this.#closed || this.#stream.waitingBytes + this.#batchEnd >= this.#options.maxBufferedBytes) {
      this.#dropped += 1;
      return undefined;
    }
    this.#batch.position = this.#batchEnd;
    return this.#batch;
  }

  endLine(): void {
    this.#batch.appendByte(LINE_FEED);
    this.#batchEnd = this.#batch.position;
    this.#batchedLines += 1;
    if (this.#batchEnd >= BATCH_BYTES) this.#handOver();
    else this.#cancelHandOver ??= this.#clock.schedule(BATCH_DELAY_MS, () => this.#handOver());
  }

  reopen(): void {
    if (this.#closed) return;
    this.#handOver();
    const old = this.#stream;
    try {
      this.#stream = this.#open();
    } catch (error) {
      this.#warn('the access log cannot be reopened', error);
      return;
    }
    void this.#retire(old);
  }

  async flush(): Promise<void> {
    this.#handOver();
    await this.#stream.settled();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#handOver();
    this.#closed = true;
    await this.#retire(this.#stream);
  }

  #open(): AccessLogStream {
    return new AccessLogStream(openSync(this.#options.file, 'a', 0o600), {
      clock: this.#clock,
      onWritten: () => this.#recovered(),
      onFailed: (error) => this.#warn('the access log cannot be written: lines are dropped', error),
    });
  }

  async #retire(stream: AccessLogStream): Promise<void> {
    this.#dropped += await stream.end();
  }

  #handOver(): void {
    this.#cancelHandOver?.();
    this.#cancelHandOver = undefined;
    if (this.#batchEnd === 0) return;
    // The stream keeps the bytes until they are written, so the next batch gets another buffer.
    const { bytes } = this.#batch;
    const spare = this.#stream.takeBuffer();
    this.#stream.append(bytes.subarray(0, this.#batchEnd), this.#batchedLines, bytes);
    this.#batch.bytes = spare ?? Buffer.allocUnsafeSlow(BATCH_BYTES + ROOM_BYTES);
    this.#batch.position = 0;
    this.#batchEnd = 0;
    this.#batchedLines = 0;
  }

  #warn(message: string, error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.log?.warn(message, { file: this.#options.file, code: systemCodeOf(error) });
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#options.log?.info('the access log is written again', { file: this.#options.file, dropped: this.#dropped });
  }
}
