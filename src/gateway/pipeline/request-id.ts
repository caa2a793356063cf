import type { Random } from '../../lib/random.ts';

const PREFIX_DIGITS = 20;
/** Length of a request id in characters. */
export const REQUEST_ID_LENGTH = 32;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_A = 0x61;
const LETTER_F = 0x66;

/**
 * Makes request ids of 32 hexadecimal digits: a random part for each worker thread and a counter. They are unique over all
 * workers and restarts (80 random bits) and cost a copy of 32 bytes each; they are names, not secrets.
 */
export class RequestIds {
  readonly #digits: Buffer;

  constructor(random: Random) {
    this.#digits = Buffer.alloc(REQUEST_ID_LENGTH, ZERO);
    this.#digits.write(random.bytes(PREFIX_DIGITS / 2).toString('hex'), 'latin1');
  }

  /** Writes the next id into `target`, which has 32 bytes. */
  next(target: Buffer): void {
    const digits = this.#digits;
    for (let index = REQUEST_ID_LENGTH - 1; index >= PREFIX_DIGITS; index--) {
      const digit = digits[index] ?? ZERO;
      digits[index] = digit === NINE ? LETTER_A : digit === LETTER_F ? ZERO : digit + 1;
      if (digit !== LETTER_F) break;
    }
    target.set(digits);
  }
}
