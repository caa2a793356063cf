import assert from 'node:assert/strict';
import test from 'node:test';
import type { ChaosReport } from './chaos-result.ts';
import { mergeReports } from './merge-reports.ts';
import { splitRounds } from './split-rounds.ts';

const REPORT: ChaosReport = {
  roundsDone: 3,
  writesAcknowledged: 10,
  writesLost: 0,
  requests: 7,
  failedRequests: 0,
  kills: { gateway: 2 },
  figures: { longestMs: 5 },
  seconds: 9,
  preparationSeconds: 3,
  longestRoundSeconds: 4,
};
const PART = { seed: 1, commit: 'abc', rounds: 5 };

test('counts of processes side by side are added, the highest of a figure is kept, and time is that of the wall', () => {
  const other = { ...REPORT, roundsDone: 2, kills: { gateway: 1, worker: 1 }, figures: { longestMs: 8, moveMs: 1 } };
  const result = mergeReports({ name: 's', rounds: 10, seconds: 9.04 }, undefined, [
    { ...PART, report: REPORT },
    { ...PART, seed: 2, report: other },
  ]);
  assert.deepEqual([result.roundsDone, result.writesAcknowledged, result.requests, result.seconds], [5, 20, 14, 9]);
  assert.deepEqual(
    [result.kills, result.figures],
    [
      { gateway: 3, worker: 1 },
      { longestMs: 8, moveMs: 1 },
    ],
  );
  assert.deepEqual(
    result.parts.map(({ seed, roundsDone }) => [seed, roundsDone]),
    [
      [1, 3],
      [2, 2],
    ],
  );
  assert.equal(result.failure, undefined);
});

test('a run that goes on adds to what was written, and keeps the seeds and the failure of what was done before', () => {
  const before = mergeReports({ name: 's', rounds: 10, seconds: 9 }, undefined, [
    { ...PART, report: REPORT },
    { ...PART, report: { ...REPORT, failure: 'a request failed' } },
  ]);
  const after = mergeReports({ name: 's', rounds: 10, seconds: 2 }, before, [
    { ...PART, seed: 3, report: REPORT },
    { ...PART, seed: 4, report: undefined },
  ]);
  assert.deepEqual([after.roundsDone, after.writesAcknowledged, after.seconds], [9, 30, 11]);
  assert.deepEqual(
    after.parts.map(({ seed }) => seed),
    [1, 1, 3, 4],
  );
  assert.equal(after.failure, 'a request failed');
});

test('rounds are split as equally as they can be, and no process is without one', () => {
  assert.deepEqual(splitRounds(100, 3), [34, 33, 33]);
  assert.deepEqual(splitRounds(2, 5), [1, 1]);
  assert.deepEqual(splitRounds(0, 2), []);
});
