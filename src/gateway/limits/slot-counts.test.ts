import assert from 'node:assert/strict';
import test from 'node:test';
import { SlotCounts } from './slot-counts.ts';
import { slotKey } from './slot-key.ts';

test('a key has the same slot on every worker, and another key another', () => {
  const counts = SlotCounts.forWorkers(2);
  const other = new SlotCounts(counts.shared, 2);
  const slots = Array.from({ length: 5000 }, (_, index) => counts.slotOf(slotKey('service', `s${index}`)));
  assert.equal(new Set(slots).size, 5000);
  assert.equal(slots.includes(-1), false);
  for (const [index, slot] of slots.entries()) assert.equal(other.slotOf(slotKey('service', `s${index}`)), slot);
  assert.notEqual(counts.slotOf(slotKey('node', 's1')), slots[1]);
});

test('the limit holds over all workers and for each slot by itself', () => {
  const counts = SlotCounts.forWorkers(20);
  const other = new SlotCounts(counts.shared, 20);
  const [one, two] = [counts.slotOf(1n), counts.slotOf(2n)];
  assert.equal(counts.enter(one, 0, 2), true);
  assert.equal(other.enter(one, 19, 2), true);
  assert.equal(other.enter(one, 3, 2), false);
  assert.equal(counts.total(one), 2);
  assert.equal(counts.enter(two, 0, 1), true);
  counts.leave(one, 0);
  assert.equal(other.enter(one, 3, 2), true);
});

test('a dead worker counts nowhere any more', () => {
  const counts = SlotCounts.forWorkers(2);
  const slot = counts.slotOf(7n);
  for (const row of [0, 0, 1]) counts.enter(slot, row, 9);
  counts.clearRow(0);
  assert.equal(counts.total(slot), 1);
});

test('a full table gives no slot, and those given stay', () => {
  const counts = SlotCounts.forWorkers(1);
  const first = counts.slotOf(1n);
  for (let key = 2n; key < 40_000n; key++) counts.slotOf(key);
  assert.equal(counts.slotOf(40_000n), -1);
  assert.equal(counts.slotOf(1n), first);
});
