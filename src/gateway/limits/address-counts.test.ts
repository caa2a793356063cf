import assert from 'node:assert/strict';
import test from 'node:test';
import { AddressCounts } from './address-counts.ts';

test('an address has its limit over all workers, whatever others do', () => {
  const counts = AddressCounts.forWorkers(2, 'secret');
  const other = new AddressCounts(counts.shared, 'secret');
  assert.equal(counts.enter(0, '10.0.0.1', 2), true);
  assert.equal(other.enter(1, '10.0.0.1', 2), true);
  assert.equal(counts.enter(0, '10.0.0.1', 2), false);
  assert.equal(counts.enter(0, '10.0.0.2', 2), true);
  other.leave(1, '10.0.0.1');
  assert.equal(counts.enter(0, '10.0.0.1', 2), true);
});

test('IPv6 addresses of one /64 are one client', () => {
  const counts = AddressCounts.forWorkers(1, 'secret');
  assert.equal(counts.enter(0, '2001:db8:0:1::1', 1), true);
  assert.equal(counts.enter(0, '2001:db8:0:1:ffff::9', 1), false);
  assert.equal(counts.enter(0, '2001:db8:0:2::1', 1), true);
});

test('a dead worker counts nowhere any more', () => {
  const counts = AddressCounts.forWorkers(2, 'secret');
  counts.enter(0, '10.0.0.1', 1);
  counts.clearRow(0);
  assert.equal(counts.enter(1, '10.0.0.1', 1), true);
});

test('ten thousand other addresses refuse nobody', () => {
  const counts = AddressCounts.forWorkers(1, 'secret');
  for (let index = 0; index < 10_000; index++) assert.equal(counts.enter(0, `10.1.${index >> 8}.${index & 255}`, 3), true);
});
