import type { Random } from '../../lib/random.ts';

const PREFIX_BYTES = 10;
const COUNTER_DIGITS = 12;
const COUNTER_LIMIT = 2 ** 48;

/**
 * Makes request ids of 32 hexadecimal digits: a random part for each worker thread and a counter. They are unique over all
 * workers and restarts (80 random bits) and cost one short string each; they are names, not secrets.
 */
export class RequestIds {
  readonly #prefix: string;
  #counter = 0;

  constructor(random: Random) {
    this.#prefix = random.bytes(PREFIX_BYTES).toString('hex');
  }

  next(): string {
    this.#counter = (this.#counter + 1) % COUNTER_LIMIT;
    return this.#prefix + this.#counter.toString(16).padStart(COUNTER_DIGITS, '0');
  }
}
