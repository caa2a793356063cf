import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { estimateEntropyBits, WEAK_KEY_BITS } from './estimate-entropy.ts';

test('keys that a person would think of are called weak', () => {
  for (const key of [
    'secret-api-key',
    'password',
    'a'.repeat(200),
    'abc'.repeat(30),
    'abcdefghijklmnopqrstuvwxyz0123456789',
    '1234567890123456789012',
    'correct-horse-battery-staple',
    'my-very-secret-production-key',
    'deadbeefdeadbeef',
    'x',
  ]) {
    assert.ok(estimateEntropyBits(key) < WEAK_KEY_BITS, `${key}: ${estimateEntropyBits(key)}`);
  }
});

test('keys that a generator makes are not called weak', () => {
  for (let round = 0; round < 200; round += 1) {
    for (const key of [
      randomBytes(16).toString('hex'),
      randomBytes(24).toString('base64url'),
      randomBytes(32).toString('base64'),
      randomUUID(),
    ]) {
      assert.ok(estimateEntropyBits(key) >= WEAK_KEY_BITS, `${key}: ${estimateEntropyBits(key)}`);
    }
  }
});

test('the longest key is judged in no time', () => {
  assert.ok(estimateEntropyBits('ab'.repeat(750_000)) < WEAK_KEY_BITS);
});
