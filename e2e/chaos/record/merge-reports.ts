import type { ChaosCounts, ChaosPart, ChaosReport, ChaosResult } from './chaos-result.ts';

/** One process, and what it said last; undefined before it said anything. */
export interface ReportingPart extends Pick<ChaosPart, 'seed' | 'commit' | 'rounds'> {
  readonly report: ChaosReport | undefined;
}

const NOTHING: ChaosCounts = { writesAcknowledged: 0, writesLost: 0, requests: 0, failedRequests: 0, kills: {}, figures: {} };

/**
 * A scenario's result from what an interrupted run had of it (undefined: nothing) and from the processes of this one, of which each may be
 * anywhere. Counts are added, of a figure the highest is kept.
 */
export function mergeReports(
  scenario: { readonly name: string; readonly rounds: number; readonly seconds: number },
  before: ChaosResult | undefined,
  running: readonly ReportingPart[],
): ChaosResult {
  const parts = [...(before?.parts ?? []), ...running.map(partOf)];
  const counts = running.flatMap(({ report }) => (report === undefined ? [] : [report])).reduce(addCounts, before ?? NOTHING);
  const failure = parts.find((part) => part.failure !== undefined)?.failure;
  return {
    scenario: scenario.name,
    rounds: scenario.rounds,
    roundsDone: parts.reduce((sum, { roundsDone }) => sum + roundsDone, 0),
    seconds: rounded((before?.seconds ?? 0) + scenario.seconds),
    writesAcknowledged: counts.writesAcknowledged,
    writesLost: counts.writesLost,
    requests: counts.requests,
    failedRequests: counts.failedRequests,
    kills: counts.kills,
    figures: counts.figures,
    parts,
    ...(failure === undefined ? {} : { failure }),
  };
}

function partOf({ seed, commit, rounds, report }: ReportingPart): ChaosPart {
  const { roundsDone = 0, seconds = 0, preparationSeconds = 0, longestRoundSeconds = 0, failure } = report ?? {};
  const times = { seconds, preparationSeconds, longestRoundSeconds };
  return { seed, commit, rounds, roundsDone, ...times, ...(failure === undefined ? {} : { failure }) };
}

function addCounts(one: ChaosCounts, other: ChaosCounts): ChaosCounts {
  return {
    writesAcknowledged: one.writesAcknowledged + other.writesAcknowledged,
    writesLost: one.writesLost + other.writesLost,
    requests: one.requests + other.requests,
    failedRequests: one.failedRequests + other.failedRequests,
    kills: combined(one.kills, other.kills, (first, second) => first + second),
    figures: combined(one.figures, other.figures, Math.max),
  };
}

function combined(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
  join: (first: number, second: number) => number,
): Record<string, number> {
  const all = new Map(Object.entries(one));
  for (const [name, value] of Object.entries(other)) {
    const known = all.get(name);
    all.set(name, known === undefined ? value : join(known, value));
  }
  return Object.fromEntries(all);
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
