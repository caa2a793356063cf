import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../lib/json.ts';
import { applyMergePatch } from './apply-merge-patch.ts';

/** The examples of RFC 7396, appendix A, whose documents and patches are objects. */
const RESULTS: readonly (readonly [JsonObject, JsonObject, JsonObject])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  [{ a: 1 }, {}, { a: 1 }],
];

test('objects merge as RFC 7396 says, and the document given stays as it is', () => {
  for (const [document, patch, result] of RESULTS) {
    const before = structuredClone(document);
    assert.deepEqual(applyMergePatch(document, patch), result);
    assert.deepEqual(document, before);
  }
});

test('reserved names are refused at any depth, and no prototype changes', () => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    for (const text of [`{"${name}":{"polluted":true}}`, `{"a":{"${name}":{"polluted":true}}}`, `{"a":{"${name}":null}}`]) {
      assert.throws(() => applyMergePatch({ a: {} }, JSON.parse(text)), {
        reason: 'admin_invalid',
        publicMessage: /not allowed in a path/,
      });
    }
  }
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});
