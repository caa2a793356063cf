import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measurement } from '../measure/measurement.ts';
import type { Row } from '../rows/row.ts';
import type { Machine } from './machine.ts';
import type { Summary } from './summary.ts';

const FOLDER = fileURLToPath(new URL('../results/', import.meta.url));

/** Everything about a run. */
export interface Result {
  readonly startedAt: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly node: string;
  /** Versions by the name of the peer. */
  readonly versions: Readonly<Record<string, string>>;
  readonly method: {
    readonly baseline: string;
    readonly rounds: number;
    readonly seconds: number;
    readonly warmUpSeconds: number;
    readonly words: string;
  };
  readonly rows: readonly Row[];
  readonly summaries: readonly Summary[];
  readonly measurements: readonly Measurement[];
}

/** Writes `bench/results/<date and time to the second>-<commit>.json` and tells where. @throws where that is there already */
export function writeResult(result: Result): string {
  mkdirSync(FOLDER, { recursive: true });
  const date = result.startedAt.slice(0, 19).replaceAll(':', '').replace('T', '-');
  const file = path.join(FOLDER, `${date}-${result.commit}.json`);
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`, { flag: 'wx' });
  return file;
}
