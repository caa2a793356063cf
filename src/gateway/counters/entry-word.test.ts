import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  entryWord,
  generationOf,
  HIGH_HALF,
  isBefore,
  isLive,
  isProtected,
  isProtectedIn,
  LIVE,
  LOW_HALF,
  MASTER_LIMIT,
  MAX_GENERATION,
  masterPayloadOf,
  masterWord,
  PAYLOAD_LIMIT,
  payloadOf,
  phaseIn,
  phaseOf,
} from './entry-word.ts';
import {
  countOf,
  countPayload,
  expiryMsIn,
  expiryMsOf,
  expiryPayload,
  isAdjacent,
  MAX_COUNT,
  MAX_EXPIRY_MS,
  previousCountOf,
  previousPayload,
  turnOf,
  turnOfCount,
} from './window-word.ts';

const generations = fc.integer({ min: 0, max: MAX_GENERATION });
const turns = fc.integer({ min: 0, max: 63 });

test('a master word gives back what was put into it', () => {
  const phases = fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const);
  const payloads = fc.maxSafeInteger().map((number) => Math.abs(number) % MASTER_LIMIT);
  fc.assert(
    fc.property(generations, phases, fc.boolean(), payloads, (generation, phase, shielded, payload) => {
      const word = masterWord(generation, phase, shielded, payload);
      assert.deepEqual(
        [generationOf(word), phaseOf(word), isProtected(word), masterPayloadOf(word)],
        [generation, phase, shielded, payload],
      );
      assert.equal(isLive(word, generation), phase === LIVE);
      assert.equal(isLive(word, (generation + 1) & MAX_GENERATION), false);
      const high = new Int32Array(BigInt64Array.of(word).buffer)[HIGH_HALF] ?? 0;
      assert.deepEqual([phaseIn(high), isProtectedIn(high)], [phase, shielded]);
    }),
  );
});

test('another word gives back what was put into it', () => {
  const payloads = fc.maxSafeInteger().map((number) => Math.abs(number) % PAYLOAD_LIMIT);
  fc.assert(
    fc.property(generations, payloads, (generation, payload) => {
      const word = entryWord(generation, payload);
      assert.deepEqual([generationOf(word), payloadOf(word)], [generation, payload]);
    }),
  );
});

test('the parts of a window are kept apart up to their highest values', () => {
  const counts = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.constant(MAX_COUNT));
  const expiries = fc.oneof(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.constant(MAX_EXPIRY_MS));
  fc.assert(
    fc.property(turns, counts, expiries, fc.boolean(), (turn, count, expiryMs, adjacent) => {
      const counted = countPayload(turn, count);
      assert.ok(counted < MASTER_LIMIT);
      assert.deepEqual([turnOfCount(counted), countOf(counted)], [turn, count]);
      const expiry = expiryPayload(turn, adjacent, expiryMs);
      assert.ok(expiry < PAYLOAD_LIMIT);
      assert.deepEqual([turnOf(expiry), isAdjacent(expiry), expiryMsOf(expiry)], [turn, adjacent, expiryMs]);
      const halves = new Uint32Array(BigInt64Array.of(entryWord(9, expiry)).buffer);
      assert.equal(expiryMsIn(halves[HIGH_HALF] ?? 0, halves[LOW_HALF] ?? 0), expiryMs);
      const previous = previousPayload(turn, count);
      assert.deepEqual([turnOf(previous), previousCountOf(previous)], [turn, count]);
    }),
  );
});

test('a time beyond the last that can be told is the last', () => {
  assert.equal(expiryMsOf(expiryPayload(3, true, MAX_EXPIRY_MS * 2)), MAX_EXPIRY_MS);
});

test('generations go round, and of two the nearer before is earlier', () => {
  assert.ok(isBefore(1, 2) && isBefore(0xffff, 0) && isBefore(0xfff0, 5));
  assert.ok(!isBefore(2, 2) && !isBefore(3, 2) && !isBefore(0, 0xffff));
});
