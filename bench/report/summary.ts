import type { Measurement } from '../measure/measurement.ts';
import { meanOfLowestThird, median } from './statistics.ts';

/** Medians over the rounds of one peer in one row. */
export interface Summary {
  readonly row: string;
  readonly peer: string;
  readonly rounds: number;
  /** Microseconds of CPU time a request. */
  readonly cpuUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  /** Time of the peer's other processes a request. */
  readonly otherUs: number;
  /** Median of the per-round ratios to the baseline, with the lowest and highest; undefined for a row without it. */
  readonly ratio: { readonly median: number; readonly lowest: number; readonly highest: number } | undefined;
  /**
   * The cheapest third of the peer's rounds against the cheapest third of the baseline's: neighbours on the machine only ever add to a
   * round, and they add more to who has the larger code.
   */
  readonly quietRatio: number | undefined;
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly rssBytes: number;
  readonly pssBytes: number | undefined;
  /** What was wrong with a round; such a row proves nothing. */
  readonly faults: readonly string[];
}

/** One summary for each row and peer, in the order in which they were measured. */
export function summarise(measurements: readonly Measurement[], baseline: string): readonly Summary[] {
  const groups = new Map<string, Measurement[]>();
  for (const measurement of measurements) {
    const name = `${measurement.row} ${measurement.peer}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [measurement]);
    else group.push(measurement);
  }
  return [...groups.values()].map((rounds) => summaryOf(rounds, measurements, baseline));
}

function summaryOf(rounds: readonly Measurement[], all: readonly Measurement[], baseline: string): Summary {
  const [first] = rounds;
  if (first === undefined) throw new Error('a summary of nothing');
  const over = (value: (round: Measurement) => number): number => median(rounds.map(value));
  const last = rounds.at(-1) ?? first;
  return {
    row: first.row,
    peer: first.peer,
    rounds: rounds.length,
    cpuUs: over(cpuUsPerRequest),
    userUs: over((round) => round.userUs / round.load.requests),
    systemUs: over((round) => round.systemUs / round.load.requests),
    otherUs: over((round) => round.otherUs / round.load.requests),
    ratio: ratioOf(rounds, all, baseline),
    quietRatio: quietRatioOf(rounds, all, baseline),
    requestsPerSecond: over((round) => (round.load.requests / round.load.durationUs) * 1e6),
    p50Us: over((round) => round.load.p50Us),
    p99Us: over((round) => round.load.p99Us),
    rssBytes: last.rssBytes,
    pssBytes: last.pssBytes,
    faults: rounds.flatMap(({ round, fault }) => (fault === undefined ? [] : [`round ${round + 1}: ${fault}`])),
  };
}

function ratioOf(rounds: readonly Measurement[], all: readonly Measurement[], baseline: string): Summary['ratio'] {
  const ratios = rounds.flatMap((round) => {
    const other = all.find((one) => one.row === round.row && one.round === round.round && one.peer === baseline);
    return other === undefined ? [] : [cpuUsPerRequest(round) / cpuUsPerRequest(other)];
  });
  return ratios.length === 0 ? undefined : { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
}

function quietRatioOf(rounds: readonly Measurement[], all: readonly Measurement[], baseline: string): number | undefined {
  const others = all.filter((one) => one.row === rounds[0]?.row && one.peer === baseline);
  if (others.length === 0) return undefined;
  return meanOfLowestThird(rounds.map(cpuUsPerRequest)) / meanOfLowestThird(others.map(cpuUsPerRequest));
}

function cpuUsPerRequest({ userUs, systemUs, load }: Measurement): number {
  return (userUs + systemUs) / load.requests;
}
