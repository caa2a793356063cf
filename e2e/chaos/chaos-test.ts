import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import test from 'node:test';
import { CleanupStack } from '../../test-support/cleanup-stack.ts';
import { SeededRandom } from '../../test-support/seeded-random.ts';
import { ChaosTally } from './chaos-tally.ts';
import { NotPossibleHere } from './not-possible-here.ts';
import { ProgressReport } from './report-progress.ts';

/** What a scenario gets. */
export interface ChaosRun {
  /** All random decisions come from it. */
  readonly random: SeededRandom;
  readonly tally: ChaosTally;
  /** Whether this is `npm run e2e:chaos`, which has the machine and its time: what is large there is small in `npm test`. */
  readonly isThorough: boolean;
  /** Has something ended when the scenario ends, however that is. */
  after(task: () => unknown): void;
  diagnostic(text: string): void;
  /**
   * Keeps the highest value of a figure. One beyond `limit` fails the scenario in `npm run e2e:chaos`, and in `npm test` it is only printed: there
   * other tests have the machine too.
   */
  figure(name: string, value: number, limit?: number): void;
  /** Runs `round` as often as asked for; what it leaves to its own scope ends with each round. */
  rounds(round: (scope: CleanupStack, index: number) => Promise<void>): Promise<void>;
}

/** A scenario: what is promised, and how it is tried. */
export interface ChaosScenario {
  /** By which `npm run e2e:chaos -- --scenario` chooses it: the file's name. */
  readonly name: string;
  readonly promise: string;
  /** In `npm test`. */
  readonly quickRounds: number;
  readonly run: (chaos: ChaosRun) => Promise<void>;
}

const isThorough = process.env.PORTCULLIS_CHAOS_THOROUGH === '1';
/** What rounds may take on the average, … */
const ROUND_LIMIT_MS = 90_000;
/** … and a single one: it hangs then. */
const HANGING_ROUND_MS = 180_000;
/** What is started before the first. */
const PREPARATION_LIMIT_MS = 120_000;
/** What ends after the last. The runner's own limit lies behind it: it would leave all that was started. */
const CLEANUP_LIMIT_MS = 60_000;

/**
 * Runs a scenario as a test: a few rounds in `npm test`, as many as `PORTCULLIS_CHAOS_ROUNDS` says in `npm run e2e:chaos`. The seed is printed;
 * `PORTCULLIS_CHAOS_SEED` repeats it. The test fails when the scenario throws, an acknowledged write is lost, or a request fails that must not.
 */
export function chaosTest(scenario: ChaosScenario): void {
  const rounds = numberFrom('PORTCULLIS_CHAOS_ROUNDS') ?? scenario.quickRounds;
  const seed = numberFrom('PORTCULLIS_CHAOS_SEED') ?? randomInt(2 ** 32);
  const limitMs = PREPARATION_LIMIT_MS + rounds * ROUND_LIMIT_MS;
  test(scenario.promise, { timeout: limitMs + CLEANUP_LIMIT_MS }, async (t) => {
    t.diagnostic(`seed ${seed}, ${rounds} rounds`);
    const cleanup = new CleanupStack();
    const tally = new ChaosTally();
    const progress = new ProgressReport(tally);
    endOnSignals(t, cleanup);
    let failure: unknown;
    try {
      const scenarioRun = scenario.run({
        random: new SeededRandom(seed),
        tally,
        isThorough,
        after: (task) => cleanup.after(task),
        diagnostic: (text) => t.diagnostic(text),
        figure: (name, value, limit = Number.POSITIVE_INFINITY) => {
          const rounded = Math.round(value * 10) / 10;
          tally.figures[name] = Math.max(tally.figures[name] ?? rounded, rounded);
          if (isThorough && value > limit) tally.limitPassed(`${name} is ${rounded}, and at most ${limit} is allowed`);
        },
        rounds: (round) => runRounds({ rounds, cleanup, tally, progress }, round),
      });
      await within(limitMs, scenarioRun);
      assert.deepEqual(tally.failures, [], `${tally.writesLost} acknowledged writes lost, ${tally.failedRequests} requests failed`);
    } catch (error) {
      failure = error;
      if (!(error instanceof NotPossibleHere) || process.env.PORTCULLIS_FORBID_SKIPS === '1') throw error;
      t.skip(error.message);
    } finally {
      await cleanup.close();
      t.diagnostic(JSON.stringify(progress.state()));
      await progress.send(failure === undefined ? undefined : wordsOf(failure));
    }
  });
}

async function runRounds(
  run: { readonly rounds: number; readonly cleanup: CleanupStack; readonly tally: ChaosTally; readonly progress: ProgressReport },
  round: (scope: CleanupStack, index: number) => Promise<void>,
): Promise<void> {
  const { rounds, cleanup, tally, progress } = run;
  progress.prepared();
  for (let index = 0; index < rounds; index++) {
    const startedMs = performance.now();
    const scope = new CleanupStack();
    // A signal in the middle of a round finds its scope here.
    cleanup.after(() => scope.close());
    try {
      await within(HANGING_ROUND_MS, round(scope, index));
    } catch (error) {
      throw new Error(`round ${index + 1} of ${rounds} failed: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    } finally {
      await scope.close();
    }
    if (tally.failures.length > 0) return;
    tally.roundDone(performance.now() - startedMs);
    await progress.send();
  }
}

function wordsOf(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}

/** @throws Error when it takes longer; whoever calls ends then what it is at work with */
async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it is not over after ${limitMs / 1000} s`)), limitMs);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Ctrl-C, a time-out of the runner and its death leave no process and no folder behind. */
function endOnSignals(t: { after(task: () => void): void }, cleanup: CleanupStack): void {
  const end = (): void => {
    void cleanup
      .close()
      .catch(() => undefined)
      .then(() => process.exit(130));
  };
  for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect'] as const) {
    process.once(event, end);
    t.after(() => {
      process.removeListener(event, end);
    });
  }
}

function numberFrom(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`${name} must be a whole number`);
  return Number(text);
}
