import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FloodProofCache } from './flood-proof-cache.ts';
import { systemRandom } from './random.ts';

function makeCache(more: { readonly entries?: number; readonly newcomers?: number } = {}) {
  const cache = new FloodProofCache<string>({ random: systemRandom, entries: 64, newcomers: 16, longestKey: 32, ...more });
  const bytesOf = (one: string, other: string) => Buffer.from(`..${one}--${other}..`, 'latin1');
  const find = (tag: number, one: string, other: string, nowMs = 0) =>
    cache.find(tag, bytesOf(one, other), 2, 2 + one.length, 4 + one.length, 4 + one.length + other.length, nowMs);
  const put = (tag: number, one: string, other: string, value: string) =>
    cache.put(tag, bytesOf(one, other), 2, 2 + one.length, 4 + one.length, 4 + one.length + other.length, value);
  return { cache, find, put };
}

test('a key is its number and both its ranges, and nothing less', () => {
  const { find, put } = makeCache();
  put(1, 'ab', 'c', 'value');
  for (let round = 0; round < 3; round++) {
    assert.equal(find(1, 'ab', 'c'), 'value');
    assert.equal(find(1, 'a', 'bc'), undefined);
    assert.equal(find(2, 'ab', 'c'), undefined);
    assert.equal(find(1, 'ab', 'd'), undefined);
    assert.equal(find(1, '', 'abc'), undefined);
  }
});

test('what is found is what was put under the key, whatever else was put', () => {
  const key = fc.record({
    tag: fc.nat(3),
    one: fc.string({ unit: 'binary-ascii', maxLength: 3 }),
    other: fc.stringMatching(/^[ab]{0,3}$/),
  });
  fc.assert(
    fc.property(fc.array(fc.record({ key, put: fc.boolean() }), { maxLength: 200 }), (steps) => {
      const { find, put } = makeCache();
      let nowMs = 0;
      for (const step of steps) {
        const { tag, one, other } = step.key;
        const value = `${tag} ${one} ${other}`;
        const found = find(tag, one, other, nowMs++);
        assert.ok(found === undefined || found === value);
        if (found === undefined && step.put) put(tag, one, other, value);
      }
    }),
  );
});

test('a flood of keys, seen once or twice each, displaces nothing that is found again within ten seconds', () => {
  const { find, put } = makeCache();
  const hot = Array.from({ length: 8 }, (_, index) => `hot${index}`);
  for (const key of hot) {
    put(0, 'host', key, key);
    assert.equal(find(0, 'host', key, 0), key);
  }
  for (let count = 0; count < 20_000; count++) {
    const nowMs = count;
    const key = `flood${count}`;
    put(0, 'host', key, key);
    if (count % 2 === 0) find(0, 'host', key, nowMs);
    if (count % 5000 === 0) for (const each of hot) assert.equal(find(0, 'host', each, nowMs), each);
  }
  for (const each of hot) assert.equal(find(0, 'host', each, 20_000), each);
});

test('what nobody asks for any more gives way to what is asked for', () => {
  const { find, put } = makeCache({ entries: 8, newcomers: 1 });
  for (let index = 0; index < 8; index++) {
    put(0, 'old', String(index), 'old');
    find(0, 'old', String(index), 0);
  }
  put(0, 'new', 'x', 'new');
  assert.equal(find(0, 'new', 'x', 9_999), 'new');
  put(0, 'other', 'y', 'other');
  assert.equal(find(0, 'new', 'x', 9_999), undefined);
  put(0, 'new', 'x', 'new');
  assert.equal(find(0, 'new', 'x', 10_000), 'new');
  put(0, 'other', 'y', 'other');
  assert.equal(find(0, 'new', 'x', 10_000), 'new');
});

test('a key that is too long is not kept, and nothing is left after clearing', () => {
  const { cache, find, put } = makeCache();
  put(0, 'a'.repeat(20), 'b'.repeat(13), 'long');
  assert.equal(find(0, 'a'.repeat(20), 'b'.repeat(13)), undefined);
  put(0, 'a', 'b', 'short');
  assert.equal(find(0, 'a', 'b'), 'short');
  cache.clear();
  assert.equal(find(0, 'a', 'b'), undefined);
});
