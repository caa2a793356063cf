import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a scenario has counted. */
export class ChaosTally {
  roundsDone = 0;
  writesAcknowledged = 0;
  writesLost = 0;
  /** Of clients, to gateways. */
  requests = 0;
  /** Those that had to be answered and were not, or wrongly. */
  failedRequests = 0;
  readonly kills: Record<string, number> = Object.create(null);
  /** Figures of a scenario's own, e.g. milliseconds. */
  readonly figures: Record<string, number> = Object.create(null);
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

  #note(words: string): void {
    if (this.#failures.length < 20) this.#failures.push(words);
  }
}

/** What `{ ...tally }` copies. */
type ChaosCounts = Pick<
  ChaosTally,
  'roundsDone' | 'writesAcknowledged' | 'writesLost' | 'requests' | 'failedRequests' | 'kills' | 'figures'
>;

/** One scenario's part of the results. */
export interface ChaosResult extends ChaosCounts {
  readonly scenario: string;
  readonly seed: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Why it failed; undefined when it held. */
  readonly failure: string | undefined;
}

/** Writes a result where the runner looks for it. */
export function writeChaosResult(file: string, result: ChaosResult): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
}
