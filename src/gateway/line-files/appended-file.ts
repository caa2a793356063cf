import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/logger.ts';
import { AccessLogStream } from '../../observability/worker-side.ts';
import { LinePathRefused, openLineFile } from './open-line-file.ts';

export interface AppendedFileOptions {
  readonly path: string;
  readonly forbiddenFolders: readonly string[];
  /** Lines beyond this are lost. */
  readonly maxWaitingBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Lines are handed over in batches of this size, or after this time. */
const BATCH_BYTES = 32 * 1024;
const BATCH_DELAY_MS = 100;
/** How long after a failure to open the file it is tried again. */
const REOPEN_DELAY_MS = 1000;

/**
 * A file that lines are appended to in the background. Several threads may append to one file: whole batches are written at once, so
 * that no lines mix. A file that cannot be opened loses its lines until it can; told is the first failure, and when it works again.
 */
export class AppendedFile {
  readonly #options: AppendedFileOptions;
  #stream: AccessLogStream | undefined;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  #dropped = 0;
  #failing = false;
  #closed = false;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #cancelHandOver: CancelTask | undefined;

  constructor(options: AppendedFileOptions) {
    this.#options = options;
    this.#stream = this.#open();
  }

  /** Lines lost to pressure or because the file could not be opened or written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False where the line is lost. */
  append(line: string): boolean {
    if (this.#closed) return false;
    this.#stream ??= this.#openAgain();
    if (this.#stream === undefined || this.#stream.waitingBytes + this.#batchBytes >= this.#options.maxWaitingBytes) {
      this.#dropped += 1;
      return false;
    }
    const bytes = Buffer.from(`${line}\n`, 'utf8');
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    if (this.#batchBytes >= BATCH_BYTES) this.#handOver(this.#stream);
    else this.#cancelHandOver ??= this.#options.clock.schedule(BATCH_DELAY_MS, () => this.#handOverBatch());
    return true;
  }

  /** Goes on in a new file of the same path. No line is lost. */
  reopen(): void {
    if (this.#closed) return;
    this.#handOverBatch();
    const fresh = this.#open();
    if (fresh === undefined) return;
    const old = this.#stream;
    this.#stream = fresh;
    if (old !== undefined) void this.#retire(old);
  }

  /** Writes what is left, for at most two seconds. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#handOverBatch();
    if (this.#stream !== undefined) await this.#retire(this.#stream);
  }

  #openAgain(): AccessLogStream | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    return nowMs - this.#triedAtMs < REOPEN_DELAY_MS ? undefined : this.#open();
  }

  #open(): AccessLogStream | undefined {
    const { path, forbiddenFolders, clock } = this.#options;
    this.#triedAtMs = clock.monotonicMs();
    try {
      return new AccessLogStream(openLineFile(path, forbiddenFolders), {
        clock,
        onWritten: () => this.#recovered(),
        onFailed: (error) => this.#warn('a log file of a plugin cannot be written', error),
      });
    } catch (error) {
      this.#warn('a log file of a plugin cannot be opened', error);
      return undefined;
    }
  }

  async #retire(stream: AccessLogStream): Promise<void> {
    this.#dropped += await stream.end();
  }

  #handOverBatch(): void {
    if (this.#stream !== undefined) this.#handOver(this.#stream);
  }

  #handOver(stream: AccessLogStream): void {
    this.#cancelHandOver?.();
    this.#cancelHandOver = undefined;
    if (this.#batch.length === 0) return;
    stream.append(Buffer.concat(this.#batch, this.#batchBytes), this.#batch.length);
    this.#batch = [];
    this.#batchBytes = 0;
  }

  #warn(message: string, error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#options.log.warn(message, { file: this.#options.path, code: codeOf(error) });
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#options.log.info('a log file of a plugin is written again', { file: this.#options.path, dropped: this.#dropped });
  }
}

function codeOf(error: unknown): string {
  if (error instanceof LinePathRefused) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
