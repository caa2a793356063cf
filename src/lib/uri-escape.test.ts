import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { escapeFieldValue, escapePath, escapeTarget } from './uri-escape.ts';

test('a path is escaped as nginx escapes it', () => {
  assert.equal(escapePath('/a b"c#d%e<f>g?h\\i^j`k{l|m}n'), '/a%20b%22c%23d%25e%3Cf%3Eg%3Fh%5Ci%5Ej%60k%7Bl%7Cm%7Dn');
  assert.equal(escapePath('/\r\n\x00\x7f\xe9'), '/%0D%0A%00%7F%E9');
  const unchanged = "/azAZ09-._~!$&'()*+,;=:@[]";
  assert.equal(escapePath(unchanged), unchanged);
});

test('an escaped path is what it was when it is decoded', () => {
  const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(bytes, (path) => {
      const decoded = escapePath(path).replace(/%[0-9A-F]{2}/g, (escaped) => String.fromCharCode(Number.parseInt(escaped.slice(1), 16)));
      assert.equal(decoded, path);
    }),
  );
});

test('of a target only what cannot stand there is escaped', () => {
  assert.equal(escapeTarget('/a%20?b=c d#e\r\n\xe9"<>'), '/a%20?b=c%20d%23e%0D%0A\xe9"<>');
});

test('of the value of a header only controls are escaped', () => {
  assert.equal(escapeFieldValue('a b\tc\r\nX: y\x00\x7f\xe9%'), 'a b\tc%0D%0AX: y%00%7F\xe9%');
});
