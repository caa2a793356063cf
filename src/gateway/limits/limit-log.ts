import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';

/** How long a reason stays quiet after its line. */
const QUIET_MS = 10_000;

interface Silence {
  untilMs: number;
  refusals: number;
}

/** Writes that a limit was reached: the first refusal at once, the others as a number at most every ten seconds for each reason. */
export class LimitLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #silences = new Map<ErrorReason, Silence>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  refused(reason: ErrorReason): void {
    const nowMs = this.#clock.monotonicMs();
    let silence = this.#silences.get(reason);
    if (silence === undefined) {
      silence = { untilMs: 0, refusals: 0 };
      this.#silences.set(reason, silence);
    }
    silence.refusals++;
    if (nowMs < silence.untilMs) return;
    const { refusals } = silence;
    silence.untilMs = nowMs + QUIET_MS;
    silence.refusals = 0;
    this.#log.warn('a limit is reached', { reason, meaning: ERROR_CODES[reason].publicMessage, refusals });
  }
}
