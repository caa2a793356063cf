import assert from 'node:assert/strict';
import test from 'node:test';
import type { Measurement } from '../measure/measurement.ts';
import { summarise } from './summary.ts';

function measurement(peer: string, round: number, cpuUs: number, changes: Partial<Measurement> = {}): Measurement {
  const errors = { connect: 0, read: 0, write: 0, timeout: 0, status: 0 };
  return {
    row: 'get',
    peer,
    round,
    load: { requests: 1000, durationUs: 2_000_000, bytes: 0, p50Us: 10, p99Us: 20, ...errors },
    userUs: cpuUs * 400,
    systemUs: cpuUs * 600,
    otherUs: 0,
    rssBytes: 1,
    pssBytes: undefined,
    fault: undefined,
    ...changes,
  };
}

test('times are medians over the rounds and count for one request', () => {
  const [summary] = summarise(
    [10, 50, 20].map((cpuUs, round) => measurement('nginx', round, cpuUs)),
    'nginx',
  );
  assert.deepEqual([summary?.cpuUs, summary?.userUs, summary?.systemUs, summary?.requestsPerSecond], [20, 8, 12, 500]);
});

test('a ratio is the median of the ratios inside each round, not the ratio of the medians', () => {
  const measurements = [
    ...[10, 100, 30].map((cpuUs, round) => measurement('nginx', round, cpuUs)),
    ...[20, 110, 90].map((cpuUs, round) => measurement('portcullis', round, cpuUs)),
  ];
  const ratio = summarise(measurements, 'nginx')[1]?.ratio;
  assert.deepEqual(ratio, { median: 2, lowest: 1.1, highest: 3 });
});

test('the quiet ratio compares the cheapest third of the rounds of each, whichever rounds those are', () => {
  const measurements = [
    ...[10, 100, 30, 12, 50, 60].map((cpuUs, round) => measurement('nginx', round, cpuUs)),
    ...[40, 110, 22, 90, 22, 70].map((cpuUs, round) => measurement('portcullis', round, cpuUs)),
  ];
  const ratios = summarise(measurements, 'nginx').map(({ quietRatio }) => quietRatio);
  assert.deepEqual(ratios, [1, 2]);
});

test('a row without the baseline has no ratio', () => {
  const [summary] = summarise([measurement('portcullis', 0, 10)], 'nginx');
  assert.deepEqual([summary?.ratio, summary?.quietRatio], [undefined, undefined]);
});

test('a fault of one round is named', () => {
  const rounds = [measurement('nginx', 0, 10), measurement('nginx', 1, 10, { fault: 'nothing was answered' })];
  assert.deepEqual(summarise(rounds, 'nginx')[0]?.faults, ['round 2: nothing was answered']);
});
