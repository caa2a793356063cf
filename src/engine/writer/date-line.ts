import type { Clock } from '../../lib/clock.ts';

/** `Date: …\r\n` (RFC 9110 §6.6.1), put together once a second. */
export class DateLine {
  readonly #clock: Clock;
  #second = -1;
  #line: Buffer = Buffer.alloc(0);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get line(): Buffer {
    const second = Math.floor(this.#clock.nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = Buffer.from(`Date: ${new Date(second * 1000).toUTCString()}\r\n`, 'latin1');
    }
    return this.#line;
  }
}
