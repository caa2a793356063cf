import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChaosRecord, ChaosResult } from '../../e2e/chaos/record/chaos-result.ts';

const FILE = fileURLToPath(new URL('../../bench/results/chaos.json', import.meta.url));

/** `bench/results/chaos.json`: whole at every moment, whatever ends this process. */
export class RecordFile {
  readonly file = FILE;
  readonly seed: number;
  readonly rounds: number;
  readonly #startedAt: string;
  readonly #results: Map<string, ChaosResult>;
  readonly #setAside: readonly ChaosResult[];

  private constructor(options: Pick<ChaosRecord, 'seed' | 'rounds' | 'startedAt' | 'results' | 'setAside'>) {
    this.seed = options.seed;
    this.rounds = options.rounds;
    this.#startedAt = options.startedAt;
    this.#results = new Map(options.results.map((result) => [result.scenario, result]));
    this.#setAside = options.setAside;
  }

  /** Takes the place of what is there with the first result. */
  static begin(options: { readonly seed: number; readonly rounds: number }): RecordFile {
    return new RecordFile({ ...options, startedAt: new Date().toISOString(), results: [], setAside: [] });
  }

  /**
   * Goes on with what is there, to as many rounds as that run was to do, or others. What the scenarios `anew` have done is set aside.
   *
   * @throws Error when there is none
   */
  static goOn(rounds: number | undefined, anew: readonly string[]): RecordFile {
    const record = readRecord();
    if (record === undefined) throw new Error(`there is no run to continue: ${FILE} cannot be read`);
    const { results, setAside = [] } = record;
    return new RecordFile({
      ...record,
      rounds: rounds ?? record.rounds,
      results: results.filter(({ scenario }) => !anew.includes(scenario)),
      setAside: [...setAside, ...results.filter(({ scenario }) => anew.includes(scenario))],
    });
  }

  resultOf(scenario: string): ChaosResult | undefined {
    return this.#results.get(scenario);
  }

  put(result: ChaosResult): void {
    this.#results.set(result.scenario, result);
    const { seed, rounds } = this;
    const record: ChaosRecord = {
      startedAt: this.#startedAt,
      writtenAt: new Date().toISOString(),
      seed,
      rounds,
      node: process.version,
      results: [...this.#results.values()],
      setAside: this.#setAside,
    };
    mkdirSync(path.dirname(FILE), { recursive: true });
    writeFileSync(`${FILE}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
    renameSync(`${FILE}.new`, FILE);
  }
}

/** What a run has left; undefined where there is none. This program alone writes it, and earlier versions of it nothing of what was set aside. */
export function readRecord(): (Omit<ChaosRecord, 'setAside'> & Partial<ChaosRecord>) | undefined {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8'));
  } catch {
    return undefined;
  }
}
