import { measureRows } from './measure/measure-rows.ts';
import type { Measurement } from './measure/measurement.ts';
import type { BenchOptions } from './options.ts';
import type { Peer } from './peers/peer.ts';
import { formatHanging } from './report/format-hanging.ts';
import { formatRow } from './report/format-row.ts';
import { describeMachine } from './report/machine.ts';
import { type Summary, summarise } from './report/summary.ts';
import { writeResult } from './report/write-result.ts';
import type { Row } from './rows/row.ts';
import { findProgram } from './session/find-program.ts';
import { Session } from './session/session.ts';

const REQUIRED = ['nginx', 'wrk'];

export interface BenchRun {
  readonly options: BenchOptions;
  readonly rows: readonly Row[];
  /** Name of the peer that the ratios are to. */
  readonly baseline: string;
  /** Ends the name of the result's file. */
  readonly label: string;
  choosePeers(session: Session): readonly Peer[];
}

/**
 * Measures rows, prints each when it is complete, and writes all rounds to a file. Exit code 2 when a round was invalid.
 *
 * @throws RangeError when a program is missing without which nothing can be measured
 */
export async function runBench({ options, rows, baseline, label, choosePeers }: BenchRun): Promise<readonly Summary[]> {
  for (const program of REQUIRED) if (findProgram(program) === undefined) throw new RangeError(`${program} is not installed`);
  const startedAt = new Date().toISOString();
  const machine = describeMachine();
  const session = new Session();
  const measurements: Measurement[] = [];
  let versions: Record<string, string> = {};
  try {
    const peers = choosePeers(session).filter(isInstalled);
    versions = Object.fromEntries(peers.map((peer) => [peer.name, peer.version() ?? '']));
    await measureRows({
      ...options,
      session,
      rows,
      peers,
      tell: (text) => process.stderr.write(`${text}\n`),
      onRow: (row, done) => {
        measurements.push(...done);
        console.log(formatRow(row, summarise(done, baseline), baseline));
      },
    });
  } finally {
    await session.close();
  }
  const { rounds, seconds, warmUpSeconds } = options;
  const method = { baseline, rounds, seconds, warmUpSeconds, words: 'bench/README.md' };
  const summaries = summarise(measurements, baseline);
  const file = writeResult({ startedAt, commit: label, machine, node: process.version, versions, method, rows, summaries, measurements });
  const hanging = formatHanging(summaries);
  if (hanging !== undefined) console.log(hanging);
  console.log(`\nAll rounds: ${file}`);
  if (summaries.some(({ faults }) => faults.length > 0)) process.exitCode = 2;
  return summaries;
}

function isInstalled(peer: Peer): boolean {
  if (peer.version() !== undefined) return true;
  console.log(`LEFT OUT: ${peer.name} is not installed.`);
  return false;
}
