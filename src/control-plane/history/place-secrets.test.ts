import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeSecrets, valueAt } from './place-secrets.ts';

test('secrets go back to where they were taken from, between the elements that are left', () => {
  const kept = { a: { 'x/y': {} }, list: ['p', 'q'], deep: [{ n: 1 }] };
  const secrets = new Map<string, string>([
    ['/list/3', 's3'],
    ['/list/1', 's1'],
    ['/a/x~1y/key', 'k'],
    ['/deep/0/token', 't'],
  ]);
  const document = placeSecrets(kept, secrets);
  assert.deepEqual(document, { a: { 'x/y': { key: 'k' } }, list: ['p', 's1', 'q', 's3'], deep: [{ n: 1, token: 't' }] });
  for (const [pointer, value] of secrets) assert.equal(valueAt(document, pointer), value);
});

test('a pointer reaches no prototype', () => {
  const document = placeSecrets({}, new Map([['/__proto__/polluted', 'x']]));
  assert.equal(Reflect.get({}, 'polluted'), undefined);
  assert.equal(Object.getPrototypeOf(document), Object.prototype);
  assert.equal(valueAt({}, '/constructor/name'), undefined);
});
