/** What a scenario has counted. */
export interface ChaosCounts {
  readonly writesAcknowledged: number;
  readonly writesLost: number;
  /** Of clients, to gateways. */
  readonly requests: number;
  /** Those that had to be answered and were not, or wrongly. */
  readonly failedRequests: number;
  readonly kills: Readonly<Record<string, number>>;
  /** The highest of each, e.g. milliseconds. */
  readonly figures: Readonly<Record<string, number>>;
}

/** How far one process with a scenario has come. It says so before its first round, after each, and at its end. */
export interface ChaosReport extends ChaosCounts {
  readonly roundsDone: number;
  /** In all, so far. */
  readonly seconds: number;
  /** Until its first round. */
  readonly preparationSeconds: number;
  readonly longestRoundSeconds: number;
  /** Why it failed; undefined as long as it holds. */
  readonly failure?: string;
}

/** One process with a scenario: several run side by side, and one after the other where a run was continued. */
export interface ChaosPart {
  /** Repeats its decisions: `--seed … --copies 1`. */
  readonly seed: number;
  readonly commit: string;
  /** That it was to do. */
  readonly rounds: number;
  readonly roundsDone: number;
  readonly seconds: number;
  readonly preparationSeconds: number;
  readonly longestRoundSeconds: number;
  readonly failure?: string;
}

/** One scenario's part of the results: the counts of all its processes together. */
export interface ChaosResult extends ChaosCounts {
  readonly scenario: string;
  readonly rounds: number;
  readonly roundsDone: number;
  /** By the clock on the wall. */
  readonly seconds: number;
  readonly parts: readonly ChaosPart[];
  /** The first; undefined when all that was done held. */
  readonly failure?: string;
}

/** `bench/results/chaos.json`. */
export interface ChaosRecord {
  readonly startedAt: string;
  readonly writtenAt: string;
  readonly seed: number;
  readonly rounds: number;
  readonly node: string;
  readonly results: readonly ChaosResult[];
  /** Of scenarios that were begun anew later, whose results do not count; what they had found stays told. */
  readonly setAside: readonly ChaosResult[];
}
