import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Random } from '../../lib/random.ts';
import type { BalancedNode } from './balancer.ts';
import { SmoothRoundRobin } from './smooth-round-robin.ts';

function startingAt(steps: number): Random {
  return { bytes: (length) => Buffer.alloc(length, steps) };
}

function balancer(weights: readonly number[], steps = 0): SmoothRoundRobin<BalancedNode> {
  return new SmoothRoundRobin(
    weights.map((weight) => ({ weight, priority: 0 })),
    startingAt(steps),
  );
}

function choices(from: SmoothRoundRobin<BalancedNode>, count: number, tried: readonly number[] = []): number[] {
  return Array.from({ length: count }, () => from.next(tried));
}

test('nodes are chosen by weight and evenly spread, as nginx spreads 5, 1, 1', () => {
  assert.deepEqual(choices(balancer([5, 1, 1]), 7), [0, 0, 1, 0, 2, 0, 0]);
  assert.deepEqual(choices(balancer([1, 1, 1]), 6), [0, 1, 2, 0, 1, 2]);
});

test('over each whole round every node is chosen exactly as often as its weight says, wherever it starts', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 8 }),
      fc.integer({ min: 0, max: 255 }),
      (weights, steps) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const from = balancer(weights, steps);
        if (total === 0) return assert.equal(from.next([]), -1);
        const counts = weights.map(() => 0);
        for (const index of choices(from, total * 2)) counts[index] = (counts[index] ?? 0) + 1;
        assert.deepEqual(
          counts,
          weights.map((weight) => weight * 2),
        );
      },
    ),
  );
});

test('weight 0 is never chosen, but a lone node always is', () => {
  assert.deepEqual(choices(balancer([0, 3, 0]), 4), [1, 1, 1, 1]);
  assert.deepEqual(choices(balancer([0]), 2), [0, 0]);
  assert.deepEqual(choices(balancer([0, 0]), 2), [-1, -1]);
  assert.equal(balancer([]).next([]), -1);
});

test('addresses that share a weight get fractions of it', () => {
  const counts = [0, 0, 0, 0];
  for (const index of choices(balancer([1 / 3, 1 / 3, 1 / 3, 1]), 600)) counts[index] = (counts[index] ?? 0) + 1;
  assert.deepEqual(counts, [100, 100, 100, 300]);
});

test('a retry picks another node until none is left', () => {
  const from = balancer([1, 5, 1]);
  const tried: number[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const index = from.next(tried);
    assert.ok(index >= 0 && !tried.includes(index));
    tried.push(index);
  }
  assert.equal(from.next(tried), -1);
  assert.equal(balancer([1]).next([0]), -1);
});

test('a lower priority serves only when all above are excluded', () => {
  const nodes = [
    { weight: 1, priority: 0 },
    { weight: 1, priority: 10 },
    { weight: 1, priority: 10 },
    { weight: 0, priority: 20 },
    { weight: 1, priority: -5 },
  ];
  const from = new SmoothRoundRobin(nodes, startingAt(0));
  assert.deepEqual(choices(from, 4), [1, 2, 1, 2]);
  assert.deepEqual(choices(from, 2, [1]), [2, 2]);
  assert.deepEqual(choices(from, 2, [1, 2]), [0, 0]);
  assert.deepEqual(choices(from, 2, [1, 2, 0]), [4, 4]);
  assert.equal(from.next([1, 2, 0, 4]), -1);
});

test('where it starts is left to chance', () => {
  const firsts = new Set(Array.from({ length: 20 }, (_, steps) => balancer([1, 1, 1, 1], steps).next([])));
  assert.deepEqual([...firsts].sort(), [0, 1, 2, 3]);
});

test('nodes that are down are passed over, and lower priorities stand in for all of them', () => {
  const nodes = [
    { weight: 1, priority: 1 },
    { weight: 1, priority: 1 },
    { weight: 1, priority: 0 },
  ];
  const from = new SmoothRoundRobin(nodes, startingAt(0));
  assert.deepEqual(
    Array.from({ length: 4 }, () => from.next([], Uint8Array.of(0, 1, 0))),
    [0, 0, 0, 0],
  );
  assert.equal(from.next([0], Uint8Array.of(0, 1, 0)), 2);
  assert.equal(from.next([], Uint8Array.of(1, 1, 0)), 2);
  assert.equal(from.next([2], Uint8Array.of(1, 1, 0)), -1);
});
