import assert from 'node:assert/strict';
import test from 'node:test';
import { CLAIMED, phaseOf } from './entry-word.ts';
import { HASH_WORDS } from './keyed-hash.ts';
import { KeyedSlots, NO_SLOT, OWN_WORD, type SlotPolicy, WORTHLESS } from './keyed-slots.ts';

const WAYS = 16;
const WORDS = OWN_WORD + 1;

/** Entries that all make way, or none; `during` is called in the middle of a claim. */
class TestPolicy implements SlotPolicy {
  stays = false;
  during: () => void = () => {};

  worth(): number {
    return this.stays ? Number.POSITIVE_INFINITY : WORTHLESS;
  }

  letGo(_slot: number, master: bigint): bigint {
    return master;
  }

  prepare(): boolean {
    const { during } = this;
    this.during = () => {};
    during();
    return true;
  }

  firstPayload(): number {
    return 0;
  }
}

function hashOf(key: number): Int32Array {
  return Int32Array.from({ length: HASH_WORDS }, (_, index) => Math.imul(key + 1, 0x9e37_79b1 + index * 0x85eb_ca6b));
}

/** One bucket as two workers see it. */
function oneBucket() {
  const shared = new SharedArrayBuffer(WAYS * WORDS * 8);
  const area = { shared, byteOffset: 0, byteLength: shared.byteLength, wordsPerSlot: WORDS };
  const policies = [new TestPolicy(), new TestPolicy()] as const;
  const [one, two] = [new KeyedSlots(area, policies[0]), new KeyedSlots(area, policies[1])];
  return { one, two, policy: policies[0], other: policies[1] };
}

class WorkerEnds extends Error {}

function end(): never {
  throw new WorkerEnds();
}

test('a key has one slot for all workers, and each key its own', () => {
  const { one, two, policy, other } = oneBucket();
  policy.stays = true;
  other.stays = true;
  const slots = Array.from({ length: WAYS }, (_, key) => one.insert(hashOf(key)));
  assert.equal(new Set(slots).size, WAYS);
  assert.equal(slots.includes(NO_SLOT), false);
  for (const [key, slot] of slots.entries()) {
    assert.equal(two.find(hashOf(key)), slot);
    assert.equal(two.insert(hashOf(key)), slot);
  }
  assert.equal(one.find(hashOf(WAYS)), NO_SLOT);
  assert.equal(one.insert(hashOf(WAYS)), NO_SLOT);
});

test('an entry that makes way is found no more', () => {
  const { one, policy } = oneBucket();
  policy.stays = true;
  for (let key = 0; key < WAYS; key++) one.insert(hashOf(key));
  policy.stays = false;
  const slot = one.insert(hashOf(99));
  assert.equal(one.find(hashOf(99)), slot);
  assert.equal(Array.from({ length: WAYS }, (_, key) => one.find(hashOf(key))).filter((found) => found === NO_SLOT).length, 1);
});

test('a slot whose worker died over it is used again', () => {
  const { one, two, policy, other } = oneBucket();
  other.stays = true;
  for (let key = 0; key < WAYS; key++) {
    policy.during = end;
    assert.throws(() => one.insert(hashOf(key)), WorkerEnds);
  }
  const slots = Array.from({ length: WAYS }, (_, key) => two.insert(hashOf(key)));
  assert.equal(new Set(slots).size, WAYS);
  assert.equal(slots.includes(NO_SLOT), false);
});

test('two workers that bring the same key at once end with the same slot', () => {
  for (let first = 0; first < WAYS; first++) {
    const { one, two, policy } = oneBucket();
    // So that the claims of the two meet in every order.
    for (let key = 0; key < first; key++) one.insert(hashOf(1000 + key));
    let theirs: number = NO_SLOT;
    policy.during = () => {
      theirs = two.insert(hashOf(1));
    };
    const ours = one.insert(hashOf(1));
    assert.notEqual(ours, NO_SLOT);
    assert.equal(ours, theirs);
    assert.equal(two.find(hashOf(1)), ours);
  }
});

test('who was late over a claim writes nothing into what came after', () => {
  const { one, two, policy, other } = oneBucket();
  other.stays = true;
  policy.during = () => {
    for (let key = 0; key < WAYS; key++) assert.notEqual(two.insert(hashOf(key)), NO_SLOT);
  };
  policy.stays = true;
  assert.equal(one.insert(hashOf(77)), NO_SLOT);
  for (let key = 0; key < WAYS; key++) assert.notEqual(two.find(hashOf(key)), NO_SLOT, `key ${key}`);
});

test('who was late over a claim before it wrote the key writes nothing into what came after', () => {
  const { one, two, policy, other } = oneBucket();
  other.stays = true;
  policy.stays = true;
  let reads = 0;
  const late = new Proxy(hashOf(77), {
    get: (hash, index) => {
      // The claim looks at the hash to find its bucket; the key is written after that.
      if (isClaimed(one) && reads++ === 0) for (let key = 0; key < WAYS; key++) assert.notEqual(two.insert(hashOf(key)), NO_SLOT);
      return Reflect.get(hash, index);
    },
  });
  assert.equal(one.insert(late), NO_SLOT);
  assert.ok(reads > 0);
  for (let key = 0; key < WAYS; key++) assert.notEqual(two.find(hashOf(key)), NO_SLOT, `key ${key}`);
});

function isClaimed(slots: KeyedSlots): boolean {
  return Array.from({ length: WAYS }, (_, way) => slots.words[slots.slotAt(way)] ?? 0n).some((master) => phaseOf(master) === CLAIMED);
}

test('a word of a later generation is never replaced by one of an earlier', () => {
  const { one } = oneBucket();
  assert.equal(one.put(OWN_WORD, 5, 10), true);
  assert.equal(one.put(OWN_WORD, 4, 11), false);
  assert.equal(one.put(OWN_WORD, 5, 12), true);
  assert.equal(one.put(OWN_WORD, 6, 13), true);
});

test('a stale entry makes way for one of the same key, once', () => {
  const { one, two } = oneBucket();
  const slot = one.insert(hashOf(1));
  one.find(hashOf(1));
  two.find(hashOf(1));
  assert.equal(one.insert(hashOf(1), slot), slot);
  const renewed = one.master;
  assert.equal(two.insert(hashOf(1), slot), slot);
  assert.equal(two.master, renewed);
});

test('an area without room for one bucket is refused', () => {
  const shared = new SharedArrayBuffer(WAYS * WORDS * 8 - 8);
  const area = { shared, byteOffset: 0, byteLength: shared.byteLength, wordsPerSlot: WORDS };
  assert.throws(() => new KeyedSlots(area, new TestPolicy()), RangeError);
});
