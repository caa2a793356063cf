import { PortcullisError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';

/** So many long lists may be under way at once, so that slow readers hold a bounded amount of memory. */
const MOST_AT_ONCE = 16;
/** A reader that takes longer loses the connection; one that takes nothing for a while loses it earlier, by the server's own time-out. */
const LONGEST_MS = 300_000;

/** Bounds the answers that are made while they are read. */
export class LongLists {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #running = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** The same parts; a place is taken when the first is asked for, and free again when they end, however they do. @throws PortcullisError `admin_busy` */
  bounded(parts: AsyncIterable<string>): AsyncIterable<string> {
    if (this.#running >= MOST_AT_ONCE) throw tooMany();
    return this.#passOn(parts, this.#clock.monotonicMs() + LONGEST_MS);
  }

  async *#passOn(parts: AsyncIterable<string>, endsAtMs: number): AsyncGenerator<string, void> {
    this.#running += 1;
    try {
      for await (const part of parts) {
        if (this.#clock.monotonicMs() > endsAtMs) throw new PortcullisError('client_write_timeout');
        yield part;
      }
    } finally {
      this.#running -= 1;
    }
  }
}

function tooMany(): PortcullisError {
  return new PortcullisError('admin_busy', { publicMessage: 'too many long lists are being read at once' });
}
