import type { ChaosCounts } from './record/chaos-result.ts';

/** What a scenario has counted. */
export class ChaosTally implements ChaosCounts {
  roundsDone = 0;
  writesAcknowledged = 0;
  writesLost = 0;
  requests = 0;
  failedRequests = 0;
  readonly kills: Record<string, number> = Object.create(null);
  readonly figures: Record<string, number> = Object.create(null);
  /** Of the rounds done; 0 before the first. */
  longestRoundMs = 0;
  readonly #failures: string[] = [];

  /** The first of what went wrong, in words. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  killed(kind: string): void {
    this.kills[kind] = (this.kills[kind] ?? 0) + 1;
  }

  requestFailed(words: string): void {
    this.failedRequests++;
    this.#note(words);
  }

  writeLost(words: string): void {
    this.writesLost++;
    this.#note(words);
  }

  /** A figure is beyond what the machine that it was measured on must reach. */
  limitPassed(words: string): void {
    this.#note(words);
  }

  roundDone(tookMs: number): void {
    this.roundsDone++;
    this.longestRoundMs = Math.max(this.longestRoundMs, tookMs);
  }

  #note(words: string): void {
    if (this.#failures.length < 20) this.#failures.push(words);
  }
}
