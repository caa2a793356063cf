import assert from 'node:assert/strict';
import test from 'node:test';
import { COUNTER_WORDS, CounterSlots } from './counter-slots.ts';
import { FixedWindows } from './fixed-windows.ts';
import { HASH_WORDS } from './keyed-hash.ts';

const WAYS = 16;

function hashOf(key: number): Int32Array {
  return Int32Array.from({ length: HASH_WORDS }, (_, index) => Math.imul(key + 1, 0x9e37_79b1 + index * 0x85eb_ca6b));
}

/** Windows in a table that has room for 16 keys. */
function oneBucket() {
  const shared = new SharedArrayBuffer(WAYS * COUNTER_WORDS * 8);
  const table = new CounterSlots(shared, 0, shared.byteLength);
  const windows = new FixedWindows(table);
  const count = (key: number, limit: number, windowMs: number, nowMs: number) => windows.count(hashOf(key), limit, windowMs, nowMs).kind;
  return { table, count };
}

test('of counters below their limit the one that expires first makes way', () => {
  const { table, count } = oneBucket();
  let evicted = 0;
  table.slots.onEvicted = () => evicted++;
  for (let key = 0; key < WAYS; key++) count(key, 2, 1000 + ((key * 7) % WAYS), 0);
  count(100, 2, 5000, 10);
  count(101, 2, 5000, 10);
  assert.equal(evicted, 2);
  // Keys 0 and 7 (7 * 7 % 16 = 1) had the shortest windows: they begin anew, and all others go on.
  const rest = Array.from({ length: WAYS }, (_, key) => key).filter((key) => key !== 0 && key !== 7);
  for (const key of rest) assert.deepEqual([key, count(key, 2, 1000, 20), count(key, 2, 1000, 20)], [key, 'allowed', 'rejected']);
});

test('an exhausted counter is not evicted before its window ends, and is afterwards', () => {
  const { table, count } = oneBucket();
  let evicted = 0;
  table.slots.onEvicted = () => evicted++;
  for (let key = 0; key < WAYS - 1; key++) count(key, 1, 1000, 0);
  for (let key = 100; key < 1000; key++) assert.equal(count(key, 2, 10, 1), 'allowed');
  for (let key = 0; key < WAYS - 1; key++) assert.equal(count(key, 1, 1000, 999), 'rejected');
  assert.equal(evicted, 899);
  for (let key = 2000; key < 2000 + WAYS; key++) assert.equal(count(key, 1, 1000, 1000), 'allowed');
});

test('a counter that reaches its limit while it is chosen to make way stays', () => {
  const { table, count } = oneBucket();
  for (let key = 0; key < WAYS; key++) count(key, 1, 1000 + key, 0);
  const worth = table.worth.bind(table);
  let lies = 3;
  table.worth = (slot, high) => (lies-- > 0 ? 1 : worth(slot, high));
  assert.equal(count(99, 1, 1000, 1), 'unavailable');
  assert.ok(lies < 0);
  for (let key = 0; key < WAYS; key++) assert.equal(count(key, 1, 1000, 1), 'rejected');
});

test('where all are exhausted nothing can be counted until one expires', () => {
  const { table, count } = oneBucket();
  for (let key = 0; key < WAYS; key++) count(key, 1, 1000 + key, 0);
  assert.equal(count(99, 1, 1000, 999), 'unavailable');
  assert.deepEqual(table.sample(999, 100), { looked: WAYS, live: WAYS, exhausted: WAYS });
  assert.equal(count(99, 1, 1000, 1000), 'allowed');
  assert.equal(count(98, 1, 1000, 1000), 'unavailable');
  assert.deepEqual(table.sample(1009, 100), { looked: WAYS, live: 7, exhausted: 7 });
});

test('a counter that is over its limit because the limit fell stays as well', () => {
  const { count } = oneBucket();
  for (let key = 0; key < WAYS; key++) for (let request = 0; request < 3; request++) count(key, 9, 1000, 0);
  for (let key = 0; key < WAYS; key++) assert.equal(count(key, 2, 1000, 1), 'rejected');
  assert.equal(count(99, 1, 1000, 2), 'unavailable');
});
