import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { applyJsonPatch } from './apply-json-patch.ts';

/** The examples of RFC 6902, appendix A, and their kin: document, operations, result. */
const RESULTS: readonly (readonly [JsonObject, readonly JsonObject[], JsonValue])[] = [
  [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
  [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
  [{ baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
  [{ foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
  [{ baz: 'qux', foo: 'bar' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo', foo: 'bar' }],
  [
    { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
    [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
    { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
  ],
  [{ foo: ['all', 'grass', 'cows', 'eat'] }, [{ op: 'move', from: '/foo/1', path: '/foo/3' }], { foo: ['all', 'cows', 'eat', 'grass'] }],
  [
    { baz: 'qux', foo: ['a', 2, 'c'] },
    [
      { op: 'test', path: '/baz', value: 'qux' },
      { op: 'test', path: '/foo/1', value: 2 },
    ],
    { baz: 'qux', foo: ['a', 2, 'c'] },
  ],
  [{ foo: 'bar' }, [{ op: 'add', path: '/child', value: { grandchild: {} } }], { foo: 'bar', child: { grandchild: {} } }],
  [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], { foo: 'bar', baz: 'qux' }],
  [{ '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
  [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }], { foo: ['bar', ['abc', 'def']] }],
  [
    { foo: null },
    [
      { op: 'test', path: '/foo', value: null },
      { op: 'replace', path: '/foo', value: 1 },
    ],
    { foo: 1 },
  ],
  [{ a: { b: 1, c: [{}] } }, [{ op: 'test', path: '/a', value: { c: [{}], b: 1 } }], { a: { b: 1, c: [{}] } }],
  [{ a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
  [{ a: 1 }, [{ op: 'add', path: '', value: [] }], []],
  [
    { a: { b: 1 } },
    [
      { op: 'copy', from: '/a', path: '/c' },
      { op: 'replace', path: '/c/b', value: 2 },
    ],
    { a: { b: 1 }, c: { b: 2 } },
  ],
  [{ a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
  [{ '': 1 }, [{ op: 'replace', path: '/', value: 2 }], { '': 2 }],
];

/** Operations on `{ a: 1, list: [1] }`, and how their refusal begins. */
const REFUSALS: readonly (readonly [JsonValue, string])[] = [
  [{ op: 'add', path: '/b/c', value: 1 }, 'Error at "/0/path": there is nothing at this path'],
  [{ op: 'add', path: '/a/c', value: 1 }, 'Error at "/0/path": there is nothing at this path'],
  [{ op: 'remove', path: '/b' }, 'Error at "/0/path": there is nothing at this path'],
  [{ op: 'remove', path: '' }, 'Error at "/0/path": the whole document cannot be removed'],
  [{ op: 'replace', path: '/list/1', value: 1 }, 'Error at "/0/path": there is nothing at this path'],
  [{ op: 'replace', path: '/list/-', value: 1 }, 'Error at "/0/path": there is nothing at this path'],
  [{ op: 'replace', path: '/list/00', value: 1 }, 'Error at "/0/path": there is nothing at this path'],
  [{ op: 'add', path: '/list/2', value: 1 }, 'Error at "/0/path": there is no such place in the array'],
  [{ op: 'add', path: '/list/x', value: 1 }, 'Error at "/0/path": there is no such place in the array'],
  [{ op: 'add', path: '/list/1e0', value: 1 }, 'Error at "/0/path": there is no such place in the array'],
  [{ op: 'copy', from: '/nothing', path: '/b' }, 'Error at "/0/from": there is nothing at this path'],
  [{ op: 'move', from: '/list', path: '/list/0' }, 'Error at "/0/path": a value cannot be moved into itself'],
  [{ op: 'move', path: '/list/0' }, 'Error at "/0/from": property "from" is missing'],
  [{ op: 'add', path: '/b' }, 'Error at "/0/value": property "value" is missing'],
  [{ op: 'add', value: 1 }, 'Error at "/0/path": property "path" is missing'],
  [{ op: 'add', path: 7, value: 1 }, 'Error at "/0/path": value must be a string'],
  [{ op: 'add', path: 'b', value: 1 }, 'Error at "/0/path": a path is empty or begins with "/"'],
  [{ op: 'add', path: '/a~2', value: 1 }, 'Error at "/0/path": in a path "~" is written as'],
  [{ op: 'put', path: '/a', value: 1 }, 'Error at "/0/op": value is not one of the allowed values'],
  [{ path: '/a', value: 1 }, 'Error at "/0/op": value is not one of the allowed values'],
  [7, 'Error at "/0": value must be an object'],
  [{ op: 'test', path: '/a', value: '1' }, 'Error at "/0": the tested value is another one'],
];

test('operations do what RFC 6902 says, and the document given stays as it is', () => {
  for (const [document, operations, result] of RESULTS) {
    const before = structuredClone(document);
    assert.deepEqual(applyJsonPatch(document, operations), result);
    assert.deepEqual(document, before);
  }
});

test('what cannot be done is refused with the place of the operation', () => {
  for (const [operation, beginning] of REFUSALS) {
    assert.throws(
      () => applyJsonPatch({ a: 1, list: [1] }, [operation]),
      (error) => error instanceof Error && 'publicMessage' in error && String(error.publicMessage).startsWith(beginning),
      beginning,
    );
  }
});

test('a test that fails is a conflict', () => {
  assert.throws(() => applyJsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: 2 }]), { reason: 'admin_conflict' });
});

test('reserved names are no part of any path, and no prototype changes', () => {
  for (const name of ['__proto__', 'constructor', 'prototype']) {
    for (const path of [`/${name}`, `/${name}/polluted`, `/a/${name}/x`]) {
      for (const operation of [
        { op: 'add', path, value: true },
        { op: 'copy', from: path, path: '/b' },
        { op: 'move', from: '/a', path },
      ]) {
        assert.throws(() => applyJsonPatch({ a: {} }, [operation]), { reason: 'admin_invalid', publicMessage: /this name is not allowed/ });
      }
    }
  }
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('copies of copies end in a refusal, not in memory', () => {
  const doubling = Array.from({ length: 60 }, (_, index) => ({ op: 'copy', from: '', path: `/c${index}` }));
  assert.throws(() => applyJsonPatch({ a: 'x'.repeat(1000) }, doubling), { publicMessage: /the patch is too large/ });
  const nesting = Array.from({ length: 60 }, () => ({ op: 'copy', from: '', path: '/a' }));
  assert.throws(() => applyJsonPatch({ a: 1 }, [...nesting, ...nesting]), { publicMessage: /nested more than 100 levels/ });
  const deep = [{ op: 'add', path: '/a'.repeat(200_000), value: 1 }];
  assert.throws(() => applyJsonPatch({ a: 1 }, deep), { reason: 'admin_invalid' });
  const shifting = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/a/0', value: 1 }));
  assert.throws(() => applyJsonPatch({ a: Array.from({ length: 200_000 }, () => 1) }, shifting), {
    publicMessage: /the patch is too large/,
  });
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 }));
  assert.throws(() => applyJsonPatch({ a: 1 }, many), { publicMessage: /maximum number of items is 10000/ });
});

test('a path of more parts than a document has levels is refused before it is followed', () => {
  const refused = { reason: 'admin_invalid', message: /a path has at most 128 parts/ };
  for (const field of ['path', 'from']) {
    const operation = { op: 'copy', path: '/a', from: '/a', [field]: '/a'.repeat(129) };
    assert.throws(() => applyJsonPatch({ a: 1 }, [operation]), refused);
  }
  assert.throws(() => applyJsonPatch({ a: 1 }, [{ op: 'remove', path: '/a'.repeat(128) }]), { message: /there is nothing at this path/ });
});
