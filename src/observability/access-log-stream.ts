// A CommonJS module whose names Node cannot see: the class comes by way of the default import.
import sonicBoom, { type SonicBoom } from 'sonic-boom';
import type { CancelTask, Clock } from '../lib/clock.ts';

declare module 'sonic-boom' {
  /** Its types leave out what `contentMode: 'buffer'` takes. */
  interface SonicBoom {
    write(bytes: Buffer): boolean;
  }
}

export interface AccessLogStreamOptions {
  readonly clock: Clock;
  readonly onWritten: () => void;
  /** The batch in hand is kept and tried again. */
  readonly onFailed: (error: Error) => void;
}

/** How long to wait after a failed write before the next try. */
const RETRY_DELAY_MS = 1000;
const END_TIMEOUT_MS = 2000;

/**
 * Writes batches to one open file in the background, in order, one write at a time, and knows how much still waits.
 *
 * sonic-boom does the writing on a descriptor of our own: its `reopen` leaks or closes the wrong descriptor when the new file
 * cannot be opened, so a reopened log gets a new stream and this one is ended.
 */
export class AccessLogStream {
  readonly #options: AccessLogStreamOptions;
  readonly #sonic: SonicBoom;
  #appendedBytes = 0;
  #appendedLines = 0;
  #writtenBytes = 0;
  /** Of the only batch that waits, or that waited last. */
  #lent: Buffer | undefined;
  #ending = false;
  #cancelRetry: CancelTask | undefined;

  constructor(descriptor: number, options: AccessLogStreamOptions) {
    this.#options = options;
    this.#sonic = new sonicBoom.SonicBoom({ fd: descriptor, sync: false, contentMode: 'buffer' });
    this.#sonic.on('write', (bytes: number) => this.#written(bytes));
    this.#sonic.on('error', (error: Error) => this.#failed(error));
  }

  /** Bytes taken but not yet written. */
  get waitingBytes(): number {
    return this.#appendedBytes - this.#writtenBytes;
  }

  /**
   * Takes whole lines; the bytes are the stream's from now on. `buffer`: what the batch lies in and has for itself, where it may be used
   * again once it is written.
   */
  append(batch: Buffer, lines: number, buffer?: Buffer): void {
    if (buffer !== undefined) this.#lent = this.waitingBytes === 0 ? buffer : undefined;
    this.#appendedBytes += batch.length;
    this.#appendedLines += lines;
    this.#sonic.write(batch);
  }

  /** The buffer of the last batch, if it went out before the next one came: nobody has it any more. */
  takeBuffer(): Buffer | undefined {
    if (this.waitingBytes > 0) return undefined;
    const buffer = this.#lent;
    this.#lent = undefined;
    return buffer;
  }

  /** Resolves when what was taken is written and synced, or a try to do so has failed. */
  async settled(): Promise<void> {
    await new Promise<void>((resolve) => this.#sonic.flush(() => resolve()));
  }

  /** Writes what is left, closes the file and says how many lines were lost. A disk that fails or hangs ends it early. */
  async end(): Promise<number> {
    this.#ending = true;
    this.#cancelRetry?.();
    await new Promise<void>((resolve) => {
      const cancelTimeout = this.#options.clock.schedule(END_TIMEOUT_MS, () => {
        this.#sonic.destroy();
        resolve();
      });
      this.#sonic.once('close', () => {
        cancelTimeout();
        resolve();
      });
      this.#sonic.end();
    });
    return this.waitingBytes === 0 ? 0 : Math.ceil((this.waitingBytes * this.#appendedLines) / this.#appendedBytes);
  }

  #written(bytes: number): void {
    this.#writtenBytes += bytes;
    this.#options.onWritten();
  }

  #failed(error: Error): void {
    this.#options.onFailed(error);
    if (this.#ending) {
      this.#sonic.destroy();
      return;
    }
    this.#cancelRetry ??= this.#options.clock.schedule(RETRY_DELAY_MS, () => {
      this.#cancelRetry = undefined;
      this.#sonic.flush();
    });
  }
}
