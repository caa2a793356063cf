import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { RandomNumbers } from './random-numbers.ts';

test('bytes come from the source in its order, each given out once', () => {
  const given: Buffer[] = [];
  const random = { bytes: (length: number) => given[given.push(randomBytes(length)) - 1] ?? Buffer.alloc(0) };
  const numbers = new RandomNumbers(random);
  const taken = Array.from({ length: 1000 }, () => numbers.bytes(16));
  assert.ok(given.length <= 4);
  assert.equal(Buffer.concat(taken).compare(Buffer.concat(given).subarray(0, 16_000)), 0);
  assert.equal(numbers.bytes(10_000).length, 10_000);
});

test('numbers are below their limit, and those that would make some likelier are drawn anew', () => {
  const words = [0xffff_ffff, 0xffff_fffe, 5, 8, 2];
  const random = {
    bytes: (length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, index * 4);
      return bytes;
    },
  };
  const numbers = new RandomNumbers(random);
  // 2^32 is 1 more than a multiple of 3, so the highest word alone has to go.
  assert.deepEqual([numbers.below(3), numbers.below(3), numbers.below(3)], [0xffff_fffe % 3, 2, 2]);
  assert.equal(numbers.below(1), 0);
});
