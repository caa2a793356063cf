import type { ConnectionBoard } from './connection-board.ts';
import type { RefusalReason } from './refusal-reasons.ts';

/** What a worker can close for the others. */
export interface Relievable {
  /** Closes up to `count` idle connections, those idle longest first. */
  closeIdle(count: number): void;
}

/**
 * Lets a worker close idle connections of its own when another worker had to refuse because the limit they share was reached and it had
 * none itself: one for each refusal, in the next beat.
 */
export class Relief {
  readonly #board: ConnectionBoard;
  readonly #reason: RefusalReason;
  readonly #holder: Relievable;
  #seen: number;

  constructor(board: ConnectionBoard, reason: RefusalReason, holder: Relievable) {
    this.#board = board;
    this.#reason = reason;
    this.#holder = holder;
    this.#seen = board.refusals(reason);
  }

  beat(): void {
    const refusals = this.#board.refusals(this.#reason);
    if (refusals > this.#seen) this.#holder.closeIdle(refusals - this.#seen);
    this.#seen = refusals;
  }
}
