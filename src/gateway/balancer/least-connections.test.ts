import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SlotCounts } from '../limits/slot-counts.ts';
import { LeastConnections } from './least-connections.ts';

function nodesOf(weights: readonly number[]) {
  return weights.map((weight, loadSlot) => ({ weight, priority: 0, loadSlot }));
}

test('the node with the fewest requests for its weight is next, nodes that are alike take turns', () => {
  const loads = [3, 1, 1, 9];
  const balancer = new LeastConnections(nodesOf([1, 1, 1, 9]), (slot) => loads[slot] ?? 0);
  const chosen = Array.from({ length: 8 }, () => balancer.next([]));
  assert.deepEqual(new Set(chosen), new Set([3]));
  loads[3] = 90;
  const turns = Array.from({ length: 40 }, () => balancer.next([]));
  assert.deepEqual(new Set(turns), new Set([1, 2]));
  assert.equal(balancer.next([1, 2]), 0);
  assert.equal(balancer.next([], Uint8Array.of(1, 1, 1, 0)), 3);
  assert.equal(balancer.next([0, 1, 2, 3]), -1);
});

test('requests that are held spread over the nodes by weight, whichever worker chooses', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 8 }), (weights) => {
      const counts = SlotCounts.forWorkers(4);
      const slots = weights.map((_, index) => counts.slotOf(BigInt(index + 1)));
      const nodes = weights.map((weight, index) => ({ weight, priority: 0, loadSlot: slots[index] ?? -1 }));
      const workers = Array.from({ length: 4 }, () => new LeastConnections(nodes, (slot) => counts.roughTotal(slot)));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let request = 0; request < total * 5; request++) {
        const index = workers[request % 4]?.next([]) ?? -1;
        counts.enter(slots[index] ?? -1, request % 4, Number.POSITIVE_INFINITY);
      }
      assert.deepEqual(
        slots.map((slot) => counts.total(slot)),
        weights.map((weight) => weight * 5),
      );
    }),
    { numRuns: 50 },
  );
});

test('no count is negative whatever workers do and whenever they die', () => {
  const step = fc.record({ row: fc.nat(3), kind: fc.constantFrom('enter', 'leave', 'die'), node: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const counts = SlotCounts.forWorkers(4);
      const slots = [1n, 2n, 3n].map((key) => counts.slotOf(key));
      const held = Array.from({ length: 4 }, () => [0, 0, 0]);
      for (const { row, kind, node } of steps) {
        const own = held[row] ?? [];
        const slot = slots[node] ?? -1;
        if (kind === 'enter') {
          counts.enter(slot, row, Number.POSITIVE_INFINITY);
          own[node] = (own[node] ?? 0) + 1;
        } else if (kind === 'leave' && (own[node] ?? 0) > 0) {
          counts.leave(slot, row);
          own[node] = (own[node] ?? 0) - 1;
        } else if (kind === 'die') {
          counts.clearRow(row);
          held[row] = [0, 0, 0];
        }
        for (const [index, counted] of slots.entries()) {
          const expected = held.reduce((sum, row) => sum + (row[index] ?? 0), 0);
          assert.deepEqual([counts.roughTotal(counted), counts.total(counted)], [expected, expected]);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('of any nodes under any load the one chosen has no more for its weight than any other', () => {
  const node = fc.record({ weight: fc.integer({ min: 1, max: 5 }), inFlight: fc.nat({ max: 6 }), isDown: fc.boolean() });
  fc.assert(
    fc.property(fc.array(node, { minLength: 2, maxLength: 20 }), fc.nat({ max: 30 }), (listed, turns) => {
      const balancer = new LeastConnections(nodesOf(listed.map(({ weight }) => weight)), (slot) => listed[slot]?.inFlight ?? 0);
      const down = Uint8Array.from(listed, ({ isDown }) => (isDown ? 1 : 0));
      for (let turn = 0; turn < turns; turn++) balancer.next([]);
      const loads = listed.map(({ weight, inFlight, isDown }) => (isDown ? Number.POSITIVE_INFINITY : (inFlight + 1) / weight));
      const chosen = balancer.next([], down);
      if (chosen === -1) assert.ok(listed.every(({ isDown }) => isDown));
      else assert.equal(loads[chosen], Math.min(...loads));
    }),
  );
});
