import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../lib/json.ts';
import { diffJson, type PatchOperation } from './json-diff.ts';

// biome-ignore lint/suspicious/noExplicitAny: a document that is changed in place, as RFC 6902 tells it
type Mutable = any;

/** RFC 6902 as one would write it down at first. */
function apply(document: JsonValue, operations: readonly PatchOperation[]): JsonValue {
  const root: Mutable = { root: structuredClone(document) };
  for (const operation of operations) {
    const steps = ['root', ...operation.path.split('/').slice(1)].map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.pop() ?? '';
    const parent = steps.reduce((node, step) => node[step], root);
    if (Array.isArray(parent)) {
      if (operation.op === 'remove') parent.splice(Number(last), 1);
      else parent.splice(Number(last), operation.op === 'add' ? 0 : 1, operation.value);
    } else if (operation.op === 'remove') delete parent[last];
    else Object.defineProperty(parent, last, { value: operation.value, enumerable: true, configurable: true, writable: true });
  }
  return root.root;
}

test('a patch makes the second document of the first, whatever they are', () => {
  const document = fc
    .jsonValue({ maxDepth: 4, stringUnit: fc.constantFrom('a', 'b', '/', '~') })
    .map((value) => JSON.parse(JSON.stringify(value)));
  fc.assert(
    fc.property(document, document, (from: JsonValue, to: JsonValue) => {
      assert.deepEqual(apply(from, diffJson(from, to)), to);
      assert.deepEqual(diffJson(from, from), []);
    }),
    { numRuns: 2_000 },
  );
});

test('a change inside is told where it is, and an element that was put in is one operation', () => {
  const from = { a: { 'b/c': [{ weight: 1 }, { weight: 2 }, { weight: 3 }] }, gone: true };
  const to = { a: { 'b/c': [{ weight: 1 }, { weight: 9 }, { weight: 3 }, { weight: 4 }] }, 'n~w': null };
  assert.deepEqual(diffJson(from, to), [
    { op: 'remove', path: '/gone', old: true },
    { op: 'replace', path: '/a/b~1c/1/weight', value: 9, old: 2 },
    { op: 'add', path: '/a/b~1c/3', value: { weight: 4 } },
    { op: 'add', path: '/n~0w', value: null },
  ]);
  assert.deepEqual(diffJson([1, 2, 3, 4], [1, 9, 2, 3, 4]), [{ op: 'add', path: '/1', value: 9 }]);
});

test('arrays of a hundred thousand elements are compared in one pass', () => {
  const from = Array.from({ length: 100_000 }, (_, index) => index);
  assert.equal(diffJson(from, from.toReversed()).length, 100_000);
  assert.equal(diffJson(from, from.slice(1)).length, 1);
});

test('a change at the bottom of deep nesting is found in one pass, whatever the lengths on the way', () => {
  const wide = Array.from({ length: 20_000 }, (_, index) => index);
  const nest = (bottom: JsonValue, around: readonly JsonValue[]): JsonValue =>
    Array.from({ length: 90 }).reduce<JsonValue>((inner) => [inner, ...around], bottom);
  const operations = diffJson(nest([...wide, 'a'], []), nest([...wide, 'b'], [0]));
  assert.equal(operations.filter(({ op }) => op === 'replace').length, 1);
  assert.equal(operations.filter(({ op }) => op === 'add').length, 90);
});
