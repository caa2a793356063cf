import { OWN_CHECKOUT } from '../../bench/portcullis/own-checkout.ts';
import { commitOf } from '../../bench/report/machine.ts';
import type { ChaosResult } from '../../e2e/chaos/record/chaos-result.ts';
import { mergeReports, type ReportingPart } from '../../e2e/chaos/record/merge-reports.ts';
import { splitRounds } from '../../e2e/chaos/record/split-rounds.ts';
import { Progress } from './progress.ts';
import type { RecordFile } from './record-file.ts';
import { runScenarioProcess } from './scenario-process.ts';

/** What a run of several scenarios needs. */
export interface ScenarioRun {
  readonly record: RecordFile;
  /** Then it is ended. */
  readonly minutes: number;
  readonly copiesOf: (scenario: string) => number;
}

/** Runs what the record does not have yet, one scenario after the other. Resolves with the exit code. */
export async function runScenarios(names: readonly string[], { record, minutes, copiesOf }: ScenarioRun): Promise<number> {
  const ending = new AbortController();
  const overTime = setTimeout(() => ending.abort(), minutes * 60_000);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort());
  const progress = new Progress(names.map((name) => [name, roundsLeft(record, name)]));
  process.stdout.write(
    `seed ${record.seed}, ${record.rounds} rounds of ${names.length} scenarios: about ${progress.minutesLeft} minutes; ended after ${minutes} at the latest\n`,
  );
  for (const name of names) {
    if (ending.signal.aborted || roundsLeft(record, name) === 0) continue;
    await runScenario(name, { record, copies: copiesOf(name), progress, ending: ending.signal });
  }
  clearTimeout(overTime);
  return judge(names, record, ending.signal.aborted);
}

async function runScenario(
  name: string,
  options: { readonly record: RecordFile; readonly copies: number; readonly progress: Progress; readonly ending: AbortSignal },
): Promise<void> {
  const { record, copies, progress, ending } = options;
  const before = record.resultOf(name);
  const commit = commitOf(OWN_CHECKOUT);
  const startedMs = performance.now();
  const parts = splitRounds(roundsLeft(record, name), copies).map(
    (rounds, index): { -readonly [Field in keyof ReportingPart]: ReportingPart[Field] } => ({
      // No two processes of a scenario make the same decisions.
      seed: (record.seed + (before?.parts.length ?? 0) + index) % 2 ** 32,
      commit,
      rounds,
      report: undefined,
    }),
  );
  const result = (): ChaosResult =>
    mergeReports({ name, rounds: record.rounds, seconds: (performance.now() - startedMs) / 1000 }, before, parts);
  await Promise.all(
    parts.map((part) =>
      runScenarioProcess(name, {
        ...part,
        ending,
        onReport: (report) => {
          part.report = report;
          record.put(result());
          progress.tell(result());
        },
      }),
    ),
  );
  record.put(result());
  progress.over(result());
}

/** One that has failed is not tried again: what it found stands in the record. */
function roundsLeft(record: RecordFile, name: string): number {
  const result = record.resultOf(name);
  return result?.failure === undefined ? Math.max(0, record.rounds - (result?.roundsDone ?? 0)) : 0;
}

function judge(names: readonly string[], record: RecordFile, wasEnded: boolean): number {
  const failed = names.flatMap(
    (name) =>
      record
        .resultOf(name)
        ?.parts.filter(({ failure }) => failure !== undefined)
        .map(({ seed }) => ({ name, seed })) ?? [],
  );
  const notDone = names.filter((name) => roundsLeft(record, name) > 0);
  for (const { name, seed } of failed) process.stdout.write(`failed: ${name}; again with --scenario ${name} --seed ${seed} --copies 1\n`);
  if (notDone.length > 0) process.stdout.write(`not all rounds done: ${notDone.join(', ')}; go on with --continue\n`);
  const failedNames = new Set(failed.map(({ name }) => name));
  process.stdout.write(`${names.length - failedNames.size - notDone.length} of ${names.length} scenarios held; ${record.file}\n`);
  if (failed.length > 0) return 1;
  return wasEnded || notDone.length > 0 ? 130 : 0;
}
