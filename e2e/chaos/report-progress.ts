import type { ChaosTally } from './chaos-tally.ts';
import type { ChaosReport } from './record/chaos-result.ts';

/** Tells `npm run e2e:chaos` how far this process is; in `npm test` nobody is told. */
export class ProgressReport {
  readonly #tally: ChaosTally;
  readonly #startedMs = performance.now();
  #preparedMs: number | undefined;

  constructor(tally: ChaosTally) {
    this.#tally = tally;
  }

  /** Rounds begin. */
  prepared(): void {
    this.#preparedMs = performance.now();
    void this.send();
  }

  /** Counts, and times in seconds. */
  state(failure?: string): ChaosReport {
    const { roundsDone, writesAcknowledged, writesLost, requests, failedRequests, kills, figures, longestRoundMs } = this.#tally;
    const nowMs = performance.now();
    return {
      roundsDone,
      writesAcknowledged,
      writesLost,
      requests,
      failedRequests,
      kills,
      figures,
      seconds: inSeconds(nowMs - this.#startedMs),
      preparationSeconds: inSeconds((this.#preparedMs ?? nowMs) - this.#startedMs),
      longestRoundSeconds: inSeconds(longestRoundMs),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  /** Resolves when it has left this process, or nobody listens. */
  send(failure?: string): Promise<void> {
    if (process.env.PORTCULLIS_CHAOS_REPORTS !== '1' || !process.connected) return Promise.resolve();
    return new Promise((resolve) => process.send?.(this.state(failure), () => resolve()));
  }
}

function inSeconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
