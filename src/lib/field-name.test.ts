import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldNameOf } from './field-name.ts';

test('a name is written as it was given, and compared in lower case', () => {
  const field = fieldNameOf('X-RateLimit-Limit');
  assert.equal(field.name, 'X-RateLimit-Limit');
  assert.equal(field.lowerCaseName, 'x-ratelimit-limit');
  assert.equal(field.start.toString(), 'X-RateLimit-Limit: ');
  assert.equal(fieldNameOf('X-RateLimit-Limit'), field);
});

test('names that differ in case are different names', () => {
  assert.equal(fieldNameOf('x-a').name, 'x-a');
  assert.equal(fieldNameOf('X-A').name, 'X-A');
});

test('what is no token is refused, each time', () => {
  for (const name of ['', 'a b', 'a:', 'a\r\nb', 'ä', 'x\0']) {
    assert.throws(() => fieldNameOf(name), TypeError);
    assert.throws(() => fieldNameOf(name), TypeError);
  }
});

test('more names than have a place are read all the same', () => {
  for (let index = 0; index < 3000; index++) assert.equal(fieldNameOf(`x-${index}`).lowerCaseName, `x-${index}`);
});
