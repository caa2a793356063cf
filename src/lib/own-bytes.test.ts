import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownBytes } from './own-bytes.ts';

test('a byte string lies in memory of exactly its length, byte for byte', () => {
  const bytes = ownBytes('a\xe9\xff\r\n');
  assert.deepEqual([...bytes], [0x61, 0xe9, 0xff, 0x0d, 0x0a]);
  assert.equal(bytes.buffer.byteLength, 5);
});
