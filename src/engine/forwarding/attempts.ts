import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';

/** What follows a failed attempt. */
export const AFTER_FAILURE = { nothing: 0, nextTarget: 1, sameTarget: 2 } as const;

/** How one request has fared with its targets so far, and whether it may be sent once more. */
export class Attempts {
  /** Doing the request twice is as good as once. */
  idempotent = false;
  #targetsAsked = 0;
  #firstFailure: ErrorReason | undefined = undefined;
  #sentAgain = false;

  begin(idempotent: boolean): void {
    this.#targetsAsked = 0;
    this.#firstFailure = undefined;
    this.idempotent = idempotent;
    this.#sentAgain = false;
  }

  /** Counts the target that is asked for now, from 0. */
  nextTarget(): number {
    return this.#targetsAsked++;
  }

  /** Of several failures the first is the answer: it is the one that made the others necessary. */
  noteFailure(reason: ErrorReason): void {
    this.#firstFailure ??= reason;
  }

  /** What the request ends with when no further target can be had because of `reason`. */
  outcome(reason: ErrorReason): ErrorReason {
    // Time that is over is nobody's failure in particular.
    return reason === 'retry_timeout' ? reason : (this.#firstFailure ?? reason);
  }

  /**
   * One of `AFTER_FAILURE`, by the table of errors and RFC 9110 §9.2.2. A kept connection (`reused`) that closes under an idempotent request
   * was most likely closed before it, and one that speaks before it has nothing against it, so that one is sent to the same target again, once; whatever else may have reached its target goes
   * to another one, if it is idempotent. Whatever the failure, nothing is sent once more of which not all is still there (`replayable`).
   */
  after(reason: ErrorReason, reused: boolean, replayable: boolean): number {
    // Without its beginning the rest of a body would be a request of the client's own making, of which nobody has decided anything.
    if (!replayable) return AFTER_FAILURE.nothing;
    const { retry } = ERROR_CODES[reason];
    if (retry === 'no' || (retry === 'idempotent-only' && !this.idempotent)) return AFTER_FAILURE.nothing;
    if ((reason === 'upstream_closed' || reason === 'upstream_uninvited') && reused && !this.#sentAgain) {
      this.#sentAgain = true;
      return AFTER_FAILURE.sameTarget;
    }
    this.noteFailure(reason);
    return AFTER_FAILURE.nextTarget;
  }
}
