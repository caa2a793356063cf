import assert from 'node:assert/strict';
import test from 'node:test';
import { InFlightSlots } from './in-flight-slots.ts';
import { HASH_WORDS } from './keyed-hash.ts';
import { WORTHLESS } from './keyed-slots.ts';

const WAYS = 16;
const BUCKET_BYTES = 16 * 8 * 8;
const ROWS = 2;

function hashOf(key: number): Int32Array {
  return Int32Array.from({ length: HASH_WORDS }, (_, index) => Math.imul(key + 1, 0x9e37_79b1 + index * 0x85eb_ca6b));
}

/** Room for 16 keys, as two workers see it. */
function twoWorkers() {
  const shared = new SharedArrayBuffer(BUCKET_BYTES);
  const [one, two] = [0, 1].map(() => new InFlightSlots(shared, 0, BUCKET_BYTES, ROWS));
  if (one === undefined || two === undefined) throw new Error('there are two');
  assert.equal(one.slots.slots, WAYS);
  /** Takes away all that may be taken away. */
  const passBy = (worker: InFlightSlots, row: number): void => {
    for (let key = 1000; key < 1000 + WAYS; key++) {
      const entry = worker.enter(hashOf(key), row, 1);
      if (entry.kind === 'entered') entry.leave();
    }
  };
  return { one, two, passBy };
}

test('a key that made way right before it was entered is entered anew', () => {
  const { one, two, passBy } = twoWorkers();
  const first = one.enter(hashOf(1), 0, 1);
  if (first.kind === 'entered') first.leave();
  const find = one.slots.find.bind(one.slots);
  let looks = 0;
  one.slots.find = (hash) => {
    const slot = find(hash);
    if (looks++ === 0) passBy(two, 1);
    return slot;
  };
  assert.equal(one.enter(hashOf(1), 0, 1).kind, 'entered');
  assert.deepEqual(two.enter(hashOf(1), 1, 1), { kind: 'rejected', inFlight: 1 });
});

test('a key that was entered while it was chosen to make way stays', () => {
  const { one, two, passBy } = twoWorkers();
  const entry = one.enter(hashOf(1), 0, 1);
  // What this worker saw before the other entered.
  two.worth = () => WORTHLESS;
  let tries = 0;
  const letGo = two.letGo.bind(two);
  two.letGo = (slot, master) => {
    if (++tries === 200) two.worth = InFlightSlots.prototype.worth.bind(two);
    return letGo(slot, master);
  };
  passBy(two, 1);
  assert.ok(tries > 0);
  assert.deepEqual(two.enter(hashOf(1), 1, 1), { kind: 'rejected', inFlight: 1 });
  assert.ok(entry.kind === 'entered');
  entry.leave();
  assert.equal(one.enter(hashOf(1), 0, 1).kind, 'entered');
});

test('a worker that died while it chose a key leaves the key as it was', () => {
  const { one, two, passBy } = twoWorkers();
  one.enter(hashOf(1), 0, 1);
  const slot = two.slots.find(hashOf(1));
  assert.equal(two.letGo(slot, two.slots.master), undefined);
  passBy(two, 1);
  assert.deepEqual(two.enter(hashOf(1), 1, 1), { kind: 'rejected', inFlight: 1 });
});

test('where something is in flight under all keys no further key can be entered', () => {
  const { one } = twoWorkers();
  const entries = Array.from({ length: WAYS }, (_, key) => one.enter(hashOf(key), 0, 1));
  assert.ok(entries.every(({ kind }) => kind === 'entered'));
  assert.equal(one.enter(hashOf(99), 0, 1).kind, 'unavailable');
  const [first] = entries;
  if (first?.kind === 'entered') first.leave();
  assert.equal(one.enter(hashOf(99), 0, 1).kind, 'entered');
});
