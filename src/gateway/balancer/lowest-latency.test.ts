import assert from 'node:assert/strict';
import test from 'node:test';
import { systemRandom } from '../../lib/random.ts';
import { LatencyAverage } from './latency-average.ts';
import { LowestLatency } from './lowest-latency.ts';

function nodesOf(count: number, priorities: readonly number[] = []) {
  return Array.from({ length: count }, (_, index) => ({ weight: 1, priority: priorities[index] ?? 0, latency: new LatencyAverage() }));
}

test('an average goes to what is measured, the quicker the longer nothing was, and sinks by itself', () => {
  const average = new LatencyAverage();
  assert.equal(average.at(0), 0);
  average.note(100, 0);
  assert.equal(average.at(0), 100);
  average.note(200, 1000);
  assert.ok(Math.abs(average.at(1000) - (100 * Math.exp(-0.1) + 200 * (1 - Math.exp(-0.1)))) < 1e-9);
  assert.ok(average.at(11_000) < average.at(1000) / 2.7);
  // A clock that jumps back takes nothing away.
  assert.equal(average.at(0), average.at(1000));
});

test('of two nodes the quicker one is always taken', () => {
  const nodes = nodesOf(2);
  nodes[0]?.latency.note(50, 0);
  nodes[1]?.latency.note(5, 0);
  const balancer = new LowestLatency(nodes, { random: systemRandom, monotonicMs: () => 1 });
  for (let turn = 0; turn < 100; turn++) assert.equal(balancer.next([]), 1);
  assert.equal(balancer.next([1]), 0);
  assert.equal(balancer.next([0, 1]), -1);
  assert.equal(balancer.next([], Uint8Array.of(0, 1)), 0);
});

test('of many nodes all but the slowest are used, and the quickest most', () => {
  const nodes = nodesOf(6);
  for (const [index, { latency }] of nodes.entries()) latency.note(index + 1, 0);
  const balancer = new LowestLatency(nodes, { random: systemRandom, monotonicMs: () => 0 });
  const counts = [0, 0, 0, 0, 0, 0];
  for (let turn = 0; turn < 30_000; turn++) {
    const index = balancer.next([]);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  // The chance that the node at this place is the quicker of two.
  for (const [index, count] of counts.entries()) assert.ok(Math.abs(count / 30_000 - (5 - index) / 15) < 0.02, `${counts}`);
});

test('a lower priority serves only when nothing above it is left', () => {
  const balancer = new LowestLatency(nodesOf(3, [1, 1, 0]), { random: systemRandom, monotonicMs: () => 0 });
  for (let turn = 0; turn < 50; turn++) assert.notEqual(balancer.next([]), 2);
  assert.equal(balancer.next([0], Uint8Array.of(0, 1, 0)), 2);
});
