import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../plugin-kit/testing/index.ts';
import { WeightedCycle } from './weighted-cycle.ts';

test('over every full round each place is chosen as often as its weight says, wherever the round begins', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 20 }),
      fc.string(),
      fc.nat({ max: 50 }),
      (weights, seed, skipped) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const cycle = new WeightedCycle(weights, seededRandom(seed));
        if (total === 0) return assert.equal(cycle.next(), -1);
        for (let step = 0; step < skipped; step++) cycle.next();
        const counts = weights.map(() => 0);
        for (let step = 0; step < total; step++) {
          const place = cycle.next();
          counts[place] = (counts[place] ?? 0) + 1;
        }
        assert.deepEqual(counts, weights);
      },
    ),
  );
});

test('a place with little weight is not kept waiting, and one with much does not come in one run', () => {
  const cycle = new WeightedCycle([5, 1, 1], { bytes: (length) => Buffer.alloc(length) });
  assert.deepEqual(Array.from({ length: 7 }, () => cycle.next()), [0, 0, 1, 0, 2, 0, 0]); // biome-ignore format: one round
});
