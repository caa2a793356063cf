import assert from 'node:assert/strict';
import test from 'node:test';
import { COUNTER_WORDS, CounterSlots, EXPIRY_WORD, PREVIOUS_WORD } from './counter-slots.ts';
import { entryWord, generationOf, payloadOf } from './entry-word.ts';
import { FixedWindows } from './fixed-windows.ts';
import { HASH_WORDS } from './keyed-hash.ts';
import { SlidingWindows } from './sliding-windows.ts';
import { expiryPayload, nextTurn, previousPayload, turnOf } from './window-word.ts';

const HASH = Int32Array.from({ length: HASH_WORDS }, (_, index) => 77 + index);

/** A table, and what a worker does to it that ends in the middle of a turn. */
function brokenOff() {
  const shared = new SharedArrayBuffer(16 * COUNTER_WORDS * 8);
  const table = new CounterSlots(shared, 0, shared.byteLength);
  const { words } = table.slots;
  const beginTurn = (adjacent: boolean, expiryMs: number): number => {
    const slot = table.slots.find(HASH);
    const expiry = words[slot + EXPIRY_WORD] ?? 0n;
    const turn = nextTurn(turnOf(payloadOf(expiry)));
    words[slot + EXPIRY_WORD] = entryWord(generationOf(expiry), expiryPayload(turn, adjacent, expiryMs));
    return turn;
  };
  const keepPrevious = (turn: number, count: number): void => {
    const slot = table.slots.find(HASH);
    words[slot + PREVIOUS_WORD] = entryWord(generationOf(words[slot] ?? 0n), previousPayload(turn, count));
  };
  return { table, beginTurn, keepPrevious };
}

test('a fixed window that a dead worker had begun counts from 0 and ends when it said', () => {
  const { table, beginTurn } = brokenOff();
  const windows = new FixedWindows(table);
  for (let request = 0; request < 3; request++) windows.count(HASH, 3, 1000, 0);
  beginTurn(false, 2100);
  assert.deepEqual(windows.count(HASH, 3, 1000, 1100), { kind: 'allowed', remaining: 2, resetMs: 1000 });
  assert.deepEqual(windows.count(HASH, 3, 1000, 2099), { kind: 'allowed', remaining: 1, resetMs: 1 });
  assert.deepEqual(windows.count(HASH, 3, 1000, 2100), { kind: 'allowed', remaining: 2, resetMs: 1000 });
});

test('a sliding window that a dead worker had begun gets the count of the one before, however far he came', () => {
  for (const hasKept of [false, true]) {
    const { table, beginTurn, keepPrevious } = brokenOff();
    const windows = new SlidingWindows(table, 0);
    for (let request = 0; request < 8; request++) windows.count(HASH, 10, 1000, 0);
    const turn = beginTurn(true, 3000);
    // Fewer than there were in the end.
    if (hasKept) keepPrevious(turn, 3);
    assert.deepEqual(windows.count(HASH, 10, 1000, 1500), { kind: 'allowed', remaining: 5, resetMs: 500 });
  }
});

test('a sliding window that does not follow right upon the last begins with nothing', () => {
  const { table, beginTurn } = brokenOff();
  const windows = new SlidingWindows(table, 0);
  for (let request = 0; request < 8; request++) windows.count(HASH, 10, 1000, 0);
  beginTurn(false, 7000);
  assert.deepEqual(windows.count(HASH, 10, 1000, 5500), { kind: 'allowed', remaining: 9, resetMs: 500 });
});
