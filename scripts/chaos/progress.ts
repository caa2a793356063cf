import type { ChaosResult } from '../../e2e/chaos/record/chaos-result.ts';
import { readRecord } from './record-file.ts';

/** Of a scenario that has not run here before. */
const USUAL_ROUND_SECONDS = 5;
const BETWEEN_LINES_MS = 10_000;

/** Says how far a run is, and how long it will take: by what rounds take now, and took when they ran last. */
export class Progress {
  readonly #secondsOfRound: Map<string, number>;
  readonly #roundsLeft: Map<string, number>;
  #lastLineMs = Number.NEGATIVE_INFINITY;

  constructor(roundsLeft: readonly (readonly [scenario: string, rounds: number])[]) {
    this.#roundsLeft = new Map(roundsLeft);
    this.#secondsOfRound = new Map(
      (readRecord()?.results ?? []).filter(({ roundsDone }) => roundsDone > 0).map((result) => [result.scenario, secondsOfRound(result)]),
    );
  }

  /** For all that is left. */
  get minutesLeft(): number {
    let seconds = 0;
    for (const [scenario, rounds] of this.#roundsLeft) seconds += rounds * (this.#secondsOfRound.get(scenario) ?? USUAL_ROUND_SECONDS);
    return Math.ceil(seconds / 60);
  }

  /** Of a scenario that is running. A line at most each ten seconds. */
  tell(result: ChaosResult): void {
    const left = Math.max(0, result.rounds - result.roundsDone);
    this.#roundsLeft.set(result.scenario, left);
    if (result.roundsDone > 0) this.#secondsOfRound.set(result.scenario, secondsOfRound(result));
    if (left === 0 || performance.now() - this.#lastLineMs < BETWEEN_LINES_MS) return;
    this.#lastLineMs = performance.now();
    const pace = result.roundsDone === 0 ? '' : `, one each ${secondsOfRound(result).toFixed(1)} s`;
    process.stdout.write(
      `${result.scenario}: ${result.roundsDone} of ${result.rounds} rounds${pace}; about ${this.minutesLeft} min left for all\n`,
    );
  }

  /** The scenario does no more rounds. */
  over(result: ChaosResult): void {
    this.#roundsLeft.delete(result.scenario);
    const longest = Math.max(...result.parts.map(({ longestRoundSeconds }) => longestRoundSeconds));
    const { writesAcknowledged, writesLost, requests, failedRequests } = result;
    const held = result.roundsDone < result.rounds ? 'held so far' : 'held';
    const word = result.failure === undefined ? held : 'FAILED';
    process.stdout.write(
      `${result.scenario}: ${word}, ${result.roundsDone} rounds in ${result.seconds.toFixed(0)} s, the longest ${longest} s; ` +
        `${writesAcknowledged} writes acknowledged, ${writesLost} lost; ${requests} requests, ${failedRequests} failed; ${JSON.stringify(result.figures)}\n`,
    );
  }
}

/** Of the clock on the wall, with what starts before the first round in it, and several copies at work at once. */
function secondsOfRound({ seconds, roundsDone }: ChaosResult): number {
  return seconds / roundsDone;
}
