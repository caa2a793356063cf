import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChaosReport } from '../../e2e/chaos/record/chaos-result.ts';

export const SCENARIO_FOLDER = fileURLToPath(new URL('../../e2e/chaos/', import.meta.url));
/** Of a file; before it stands the scenario's name. */
export const SCENARIO_SUFFIX = '.test.ts';
/** What a scenario that is told to end may take for it. */
const END_MS = 60_000;
/** What is kept of the words of a scenario, for the case that it fails. */
const MOST_WORDS = 20_000;

/**
 * Runs rounds of a scenario in a process with servers of its own, and tells `onReport` before the first and after each. Resolves when it has ended.
 * In a process group of its own: a Ctrl-C in the terminal reaches this process alone, which tells the scenario, which ends what it started. It
 * does so too when this process vanishes.
 */
export function runScenarioProcess(
  name: string,
  options: {
    readonly rounds: number;
    readonly seed: number;
    readonly ending: AbortSignal;
    readonly onReport: (report: ChaosReport) => void;
  },
): Promise<void> {
  const { rounds, seed, ending, onReport } = options;
  let last: ChaosReport | undefined;
  // A scenario that failed because something hangs ends all the same.
  const child = spawn(process.execPath, ['--test-force-exit', path.join(SCENARIO_FOLDER, `${name}${SCENARIO_SUFFIX}`)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      PORTCULLIS_CHAOS_ROUNDS: String(rounds),
      PORTCULLIS_CHAOS_SEED: String(seed),
      PORTCULLIS_CHAOS_REPORTS: '1',
      PORTCULLIS_CHAOS_THOROUGH: '1',
    },
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words = `${words}${text}`.slice(-MOST_WORDS);
    });
  }
  const report = (next: ChaosReport): void => {
    last = next;
    onReport(next);
  };
  // Both ends are of this checkout.
  child.on('message', (message) => report(message as ChaosReport));
  let patience: NodeJS.Timeout | undefined;
  const end = (): void => {
    child.kill('SIGTERM');
    // What it has started ends with it.
    patience = setTimeout(() => child.kill('SIGKILL'), END_MS);
  };
  ending.addEventListener('abort', end);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(patience);
      ending.removeEventListener('abort', end);
      if (code !== 0 && !ending.aborted) {
        process.stdout.write(`${words}\n`);
        if (last?.failure === undefined) report({ ...(last ?? NOTHING_DONE), failure: `it ended with code ${code} and did not say why` });
      }
      resolve();
    });
  });
}

const NOTHING_DONE: ChaosReport = {
  roundsDone: 0,
  writesAcknowledged: 0,
  writesLost: 0,
  requests: 0,
  failedRequests: 0,
  kills: {},
  figures: {},
  seconds: 0,
  preparationSeconds: 0,
  longestRoundSeconds: 0,
};
