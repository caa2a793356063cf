import { Buffer } from 'node:buffer';
import type { BodyFilter } from '../response-filter.ts';

/** How a call of a filter went. */
export const FILTER = {
  /** It has returned, or its promise has settled. */
  settled: 0,
  /** Its promise is awaited. */
  busy: 1,
  /** It threw; that is reported. */
  failed: 2,
} as const;

/** Hears what a filter threw, or with what its promise was rejected. */
export interface FailureListener {
  reportFailure(error: unknown): void;
}

/**
 * Calls the filter of one answer's body, one call at a time, and gathers what it pushes. Nothing that it does after the end of the
 * exchange has an effect, and whatever it throws stays here.
 */
export class FilteredBody {
  /** What was pushed and not taken. */
  #pushed: Buffer[] = [];
  #pushedBytes = 0;
  #busy = false;
  #over = false;
  #ending = false;
  /** The chunk that was given last, whose memory belongs to others when the call returns. */
  #lent: Buffer | undefined = undefined;
  #calling = false;
  #announced = false;
  readonly #filter: BodyFilter;
  readonly #listener: FailureListener;
  readonly #onProgress: (outcome: number) => void;
  readonly #push = (bytes: Buffer): void => this.#take(bytes);
  readonly #announce = (): void => {
    this.#announced = false;
    if (!this.#over && this.#busy) this.#onProgress(FILTER.busy);
  };

  /** `onProgress` hears, as `FILTER` says, that something was pushed while a promise is awaited, or that one has settled. */
  constructor(filter: BodyFilter, listener: FailureListener, onProgress: (outcome: number) => void) {
    this.#filter = filter;
    this.#listener = listener;
    this.#onProgress = onProgress;
  }

  /** A promise is awaited: no other call may be made. */
  get busy(): boolean {
    return this.#busy;
  }

  /** `end` was called; the body is over when that is not busy any more. */
  get ending(): boolean {
    return this.#ending;
  }

  get pushedBytes(): number {
    return this.#pushedBytes;
  }

  /** What was pushed since the last call of this. */
  takePushed(): readonly Buffer[] {
    const pushed = this.#pushed;
    if (pushed.length > 0) this.#pushed = [];
    this.#pushedBytes = 0;
    return pushed;
  }

  /** Gives one piece of the body to the filter; one of `FILTER`. */
  write(chunk: Buffer): number {
    this.#lent = chunk;
    return this.#call(chunk);
  }

  /** Tells the filter that the body has ended; one of `FILTER`. */
  end(): number {
    this.#ending = true;
    return this.#call(undefined);
  }

  /** The answer goes no further: the filter is told, unless it has seen the end of its body. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pushed = [];
    try {
      this.#filter.abort?.();
    } catch (error) {
      this.#listener.reportFailure(error);
    }
  }

  #call(chunk: Buffer | undefined): number {
    this.#calling = true;
    try {
      const result = chunk === undefined ? this.#filter.end(this.#push) : this.#filter.write(chunk, this.#push);
      if (isThenable(result)) {
        this.#busy = true;
        void Promise.resolve(result).then(
          () => this.#settled(),
          (error: unknown) => this.#rejected(error),
        );
        return FILTER.busy;
      }
    } catch (error) {
      this.#listener.reportFailure(error);
      return FILTER.failed;
    } finally {
      this.#calling = false;
    }
    this.#noteEnd();
    return FILTER.settled;
  }

  #settled(): void {
    this.#busy = false;
    if (this.#over) return;
    this.#noteEnd();
    this.#onProgress(FILTER.settled);
  }

  #rejected(error: unknown): void {
    this.#busy = false;
    // What a filter gives up because its exchange has ended is no failure.
    if (this.#over) return;
    this.#listener.reportFailure(error);
    this.#onProgress(FILTER.failed);
  }

  #noteEnd(): void {
    if (this.#ending) this.#over = true;
  }

  #take(bytes: Buffer): void {
    if (!Buffer.isBuffer(bytes)) throw new TypeError('a filter must push buffers');
    if (this.#over || bytes.length === 0) return;
    if (!this.#calling && this.#lent !== undefined && overlap(bytes, this.#lent))
      throw new Error('a chunk is valid only during the call that it is given to');
    this.#pushed.push(bytes);
    this.#pushedBytes += bytes.length;
    if (this.#calling || this.#announced) return;
    this.#announced = true;
    queueMicrotask(this.#announce);
  }
}

function overlap(one: Buffer, other: Buffer): boolean {
  const apart = one.byteOffset + one.length <= other.byteOffset || other.byteOffset + other.length <= one.byteOffset;
  return one.buffer === other.buffer && !apart;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
