import path from 'node:path';
import { parseArgs } from 'node:util';

/** What a run is asked for. */
export interface BenchOptions {
  /** Names of rows; undefined: all. */
  readonly only: readonly string[] | undefined;
  /** Names of peers; undefined: the usual ones. */
  readonly peers: readonly string[] | undefined;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Number of keys of the rows that are not about it. */
  readonly keys: number | undefined;
  /** Folder of the Portcullis to measure; undefined: this one. */
  readonly checkout: string | undefined;
  readonly list: boolean;
  readonly profile: boolean;
  /** Words that are no options: commits. */
  readonly words: readonly string[];
}

/** Rows of a short run: the ones that the table of targets begins with. */
const QUICK_ROWS = ['get-100b', 'get-10k', 'post-10k', 'unauthorized'];

export const USAGE = `Options:
  --only ROW,...    rows to measure (see --list)
  --peers NAME,...  of nginx, haproxy, undici, portcullis, engine-floor (the bare engine) and byte-relay (Node alone); these only when named
  --rounds N        counted rounds of each peer (5)
  --seconds N       length of a round (3)
  --warm-up N       seconds of load before the first round (6); 2 s where the row before asked the same
  --keys N          keys in the rows that are not about their number (100,000)
  --quick           3 rounds of 2 s, 5 s of warm-up, and without --only a few rows alone
  --profile         sample Portcullis with perf under the first row instead of comparing
  --checkout DIR    measure the Portcullis of another folder, e.g. of a copy that nobody edits meanwhile
  --list            print the rows and end`;

/** @throws RangeError when an option is unknown or no number */
export function readOptions(words: readonly string[]): BenchOptions {
  const { values, positionals } = parse(words);
  const { quick } = values;
  return {
    only: namesIn(values.only) ?? (quick ? QUICK_ROWS : undefined),
    peers: namesIn(values.peers),
    rounds: count('rounds', values.rounds, quick ? 3 : 5),
    seconds: count('seconds', values.seconds, quick ? 2 : 3),
    warmUpSeconds: count('warm-up', values['warm-up'], quick ? 5 : 6),
    keys: values.keys === undefined ? undefined : count('keys', values.keys, 0),
    checkout: values.checkout === undefined ? undefined : path.resolve(values.checkout),
    list: values.list,
    profile: values.profile,
    words: positionals,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        peers: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        'warm-up': { type: 'string' },
        keys: { type: 'string' },
        checkout: { type: 'string' },
        quick: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new RangeError(error instanceof Error ? error.message : String(error));
  }
}

function namesIn(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').filter(Boolean);
}

function count(name: string, text: string | undefined, usual: number): number {
  const value = text === undefined ? usual : Number(text);
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`--${name} wants a whole number from 1`);
  return value;
}
