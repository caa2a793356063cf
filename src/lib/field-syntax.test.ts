import assert from 'node:assert/strict';
import test from 'node:test';
import { isFieldName, isFieldValue } from './field-syntax.ts';

test('the name of a header is a token', () => {
  for (const name of ['X-A', 'x_a', "!#$%&'*+-.^_`|~09azAZ"]) assert.ok(isFieldName(name), name);
  for (const name of ['', 'a b', 'a:', 'a\r\n', 'ä', 'a(', 'a/b', '"a"']) assert.ok(!isFieldName(name), name);
});

test('the value of a header holds no control but HTAB, and bytes only', () => {
  for (const value of ['', ' a\tb ', '\x80\xff', '~']) assert.ok(isFieldValue(value), value);
  for (const value of ['a\nb', 'a\r', '\0', '\x7f', '\u0100']) assert.ok(!isFieldValue(value), JSON.stringify(value));
});
