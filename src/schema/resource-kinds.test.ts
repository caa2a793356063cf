import assert from 'node:assert/strict';
import test from 'node:test';
import { RESOURCE_KINDS, resourceKind } from './index.ts';

test('every kind has its own name and collection, and comes after its parent', () => {
  const names = RESOURCE_KINDS.map((kind) => kind.name);
  assert.deepEqual(names, ['service', 'route', 'consumer', 'credential']);
  assert.deepEqual(
    RESOURCE_KINDS.map((kind) => kind.collection),
    ['services', 'routes', 'consumers', 'credentials'],
  );
  for (const kind of RESOURCE_KINDS) {
    assert.equal(resourceKind(kind.name), kind);
    if (kind.parent !== undefined) assert.ok(names.indexOf(kind.parent) < names.indexOf(kind.name));
  }
});

test('a route belongs to its service and a credential to its consumer', () => {
  assert.deepEqual(resourceKind('route').owner({ service_id: 's' }, ''), { kind: 'service', id: 's' });
  assert.deepEqual(resourceKind('credential').owner({ plugins: {} }, 'jack'), { kind: 'consumer', id: 'jack' });
  assert.equal(resourceKind('service').owner({ name: 's' }, ''), undefined);
  assert.equal(resourceKind('consumer').owner({ username: 'jack' }, ''), undefined);
});

test('answers show the id, whatever the body said, and what clients need though it is not stored', () => {
  assert.deepEqual(resourceKind('service').present({ name: 's' }, 'a'), { type: 'http', name: 's', id: 'a' });
  assert.deepEqual(resourceKind('route').present({ name: 'r' }, 'a'), { name: 'r', id: 'a' });
  assert.deepEqual(resourceKind('consumer').present({ username: 'jack' }, 'jack'), { username: 'jack' });
  assert.deepEqual(resourceKind('credential').present({ plugins: {} }, 'c'), { name: 'c', plugins: {}, id: 'c' });
  assert.deepEqual(resourceKind('credential').present({ name: 'laptop' }, 'c'), { name: 'laptop', id: 'c' });
});
