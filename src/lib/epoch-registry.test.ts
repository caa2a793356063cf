import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EpochRegistry, EpochRow, isBefore } from './epoch-registry.ts';
import { Quarantine } from './quarantine.ts';

test('what was taken out is free only when every reader has passed an epoch since', () => {
  const epochs = new EpochRegistry(3);
  const first = new EpochRow(epochs.buffer, epochs.register());
  const second = new EpochRow(epochs.buffer, epochs.register());
  const stamp = epochs.stamp();
  assert.equal(isBefore(stamp, epochs.oldest()), false);
  first.pass();
  assert.equal(isBefore(stamp, epochs.oldest()), false);
  second.pass();
  assert.equal(isBefore(stamp, epochs.oldest()), true);
});

test('without readers everything is free at once', () => {
  const epochs = new EpochRegistry(1);
  assert.equal(isBefore(epochs.stamp(), epochs.oldest()), true);
});

test('a reader that has ended holds nothing back, and its row can be taken again', () => {
  const epochs = new EpochRegistry(1);
  const row = epochs.register();
  const stamp = epochs.stamp();
  assert.throws(() => epochs.register(), RangeError);
  assert.equal(isBefore(stamp, epochs.oldest()), false);
  epochs.release(row);
  assert.equal(isBefore(stamp, epochs.oldest()), true);
  assert.equal(epochs.register(), row);
});

test('a reader that starts late is not asked about what went before it', () => {
  const epochs = new EpochRegistry(1);
  const stamp = epochs.stamp();
  epochs.register();
  assert.equal(isBefore(stamp, epochs.oldest()), true);
});

test('epochs go on when their 32 bits run over', () => {
  assert.equal(isBefore(0x7fffffff, -0x80000000), true);
  assert.equal(isBefore(-0x80000000, 0x7fffffff), false);
});

test('the quarantine releases in order, no more than asked for, and keeps its order while it grows', () => {
  const epochs = new EpochRegistry(1);
  const reader = new EpochRow(epochs.buffer, epochs.register());
  const released: number[] = [];
  const quarantine = new Quarantine(epochs, (value, extra) => {
    assert.equal(extra, value * 2);
    released.push(value);
  });
  for (let value = 0; value < 40; value++) quarantine.add(value, value * 2);
  quarantine.reclaim(100);
  assert.deepEqual(released, []);
  reader.pass();
  quarantine.reclaim(30);
  assert.equal(released.length, 30);
  for (let value = 40; value < 500; value++) quarantine.add(value, value * 2);
  reader.pass();
  quarantine.reclaim(1000);
  assert.deepEqual(
    released,
    Array.from({ length: 500 }, (_, value) => value),
  );
  assert.equal(quarantine.size, 0);
});
