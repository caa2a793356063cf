import assert from 'node:assert/strict';
import test from 'node:test';
import { HASH_SECRET_BYTES, KeyedHash } from './keyed-hash.ts';

function hashOf(text: string, kind = 1, secret: Uint8Array = Buffer.alloc(HASH_SECRET_BYTES, 7)): string {
  const hash = new KeyedHash(secret);
  hash.digest(kind, text);
  return hash.words.join(' ');
}

test('the hash depends on every part of text, kind and secret', () => {
  const texts = ['', '\0', '\0\0', 'a', 'ab', 'ba', 'abcd', 'abcd\0', 'abcde', 'ü', 'Ã¼', '€', 'x'.repeat(2000), `${'x'.repeat(1999)}y`];
  const hashes = texts.map((text) => hashOf(text));
  hashes.push(hashOf('a', 2), hashOf('', 2), hashOf('a', 1, Buffer.alloc(HASH_SECRET_BYTES, 8)));
  for (let byte = 0; byte < HASH_SECRET_BYTES; byte++) {
    const secret = Buffer.alloc(HASH_SECRET_BYTES, 7);
    secret[byte] = 6;
    hashes.push(hashOf('a', 1, secret));
  }
  assert.equal(new Set(hashes).size, hashes.length);
});

test('the hash of a text does not depend on what was hashed before', () => {
  const used = new KeyedHash(Buffer.alloc(HASH_SECRET_BYTES, 7));
  for (const text of ['a long text that is gone', 'abcde', '€€€', 'q'.repeat(5000), 'a', '']) {
    used.digest(1, text);
    assert.equal(used.words.join(' '), hashOf(text), text);
  }
});

test('one changed bit changes about half of all bits, in every word', () => {
  const one = new KeyedHash(Buffer.alloc(HASH_SECRET_BYTES, 1));
  const changed = [0, 0, 0, 0];
  const rounds = 2000;
  for (let round = 0; round < rounds; round++) {
    one.digest(1, `client ${round}`);
    const before = Int32Array.from(one.words);
    one.digest(1, `cliemt ${round}`);
    for (const [index, word] of one.words.entries()) changed[index] = (changed[index] ?? 0) + bitsOf(word ^ (before[index] ?? 0));
  }
  for (const bits of changed) assert.ok(Math.abs(bits / rounds - 16) < 0.5, String(changed));
});

test('a secret of another length is refused', () => {
  assert.throws(() => new KeyedHash(Buffer.alloc(15)), RangeError);
});

function bitsOf(word: number): number {
  let bits = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) bits++;
  return bits;
}
