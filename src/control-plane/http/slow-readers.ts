import type { ServerResponse } from 'node:http';
import type { CancelTask, Clock } from '../../lib/clock.ts';

/** How slowly an answer may be read. */
export interface ReadingPace {
  /** What every reader has, besides the time for the bytes of the answer. */
  readonly graceMs: number;
  readonly leastBytesPerSecond: number;
}

const CHECK_EVERY_MS = 5_000;

/**
 * Ends connections whose clients read their answer so slowly that it takes memory for minutes. A time-out for silence does not find those who
 * take a byte now and then. The time in which an answer is being made does not count.
 */
export class SlowReaders {
  readonly #clock: Clock;
  readonly #pace: ReadingPace;
  readonly #onEnded: () => void;

  /** `onEnded` is called for each connection that was ended. */
  constructor(clock: Clock, pace: ReadingPace, onEnded: () => void) {
    this.#clock = clock;
    this.#pace = pace;
    this.#onEnded = onEnded;
  }

  /** Watches an answer, from when its request has come until it is read or its connection is gone. */
  watch(response: ServerResponse): void {
    const { socket } = response;
    if (socket === null) return;
    const bytesBefore = socket.bytesWritten;
    let begunAtMs: number | undefined;
    let cancel: CancelTask = () => undefined;
    const check = (): void => {
      if (response.headersSent) begunAtMs ??= this.#clock.monotonicMs();
      if (begunAtMs !== undefined && this.#clock.monotonicMs() - begunAtMs > this.#allowedMs(socket.bytesWritten - bytesBefore)) {
        socket.destroy();
        this.#onEnded();
        return;
      }
      cancel = this.#clock.schedule(CHECK_EVERY_MS, check);
    };
    cancel = this.#clock.schedule(CHECK_EVERY_MS, check);
    response.once('close', () => cancel());
  }

  #allowedMs(bytes: number): number {
    return this.#pace.graceMs + (bytes / this.#pace.leastBytesPerSecond) * 1_000;
  }
}
