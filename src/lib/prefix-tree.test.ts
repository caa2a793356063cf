import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PrefixTree } from './prefix-tree.ts';

test('all prefixes of a text are found, the shortest first', () => {
  const tree = new PrefixTree<string>();
  for (const prefix of ['/', '/foo', '/foo/', '/foo/bar', '/fob', '', '/foo/barbar', '/x']) tree.set(prefix, prefix);
  const found: string[] = [];
  const collect = (text: string) => found.slice(0, tree.collect(text, found));
  assert.deepEqual(collect('/foo/bar/baz'), ['', '/', '/foo', '/foo/', '/foo/bar']);
  assert.deepEqual(collect('/foobar'), ['', '/', '/foo']);
  assert.deepEqual(collect('/fob'), ['', '/', '/fob']);
  assert.deepEqual(collect('/fo'), ['', '/']);
  assert.deepEqual(collect(''), ['']);
  assert.deepEqual(collect('no'), ['']);
});

test('any sequence of changes leaves what a map would hold, and an emptied tree finds nothing', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 6 });
  const step = fc.record({ op: fc.constantFrom('set', 'set', 'delete'), key, value: fc.integer() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(key, { maxLength: 10 }), (steps, texts) => {
      const tree = new PrefixTree<number>();
      const expected = new Map<string, number>();
      for (const { op, key, value } of steps) {
        if (op === 'set') {
          tree.set(key, value);
          expected.set(key, value);
        } else assert.equal(tree.delete(key), expected.delete(key));
      }
      assert.equal(tree.size, expected.size);
      const found: number[] = [];
      for (const text of [...texts, ...expected.keys()]) {
        const prefixes = [...expected.keys()].filter((prefix) => text.startsWith(prefix)).sort((one, other) => one.length - other.length);
        assert.deepEqual(
          found.slice(0, tree.collect(text, found)),
          prefixes.map((prefix) => expected.get(prefix)),
        );
        assert.equal(tree.get(text), expected.get(text));
      }
      for (const known of [...expected.keys()]) assert.ok(tree.delete(known));
      assert.equal(tree.size, 0);
      assert.equal(tree.collect('ab/ab', found), 0);
    }),
    { numRuns: 500 },
  );
});
