import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { parseHttpDate } from './parse-http-date.ts';

const SECONDS = 784_111_777;

test('the three forms of a date in HTTP say the same', () => {
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), SECONDS);
  assert.equal(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT'), SECONDS);
  assert.equal(parseHttpDate('Sun Nov  6 08:49:37 1994'), SECONDS);
});

test('every second of four centuries is read as JavaScript writes it', () => {
  fc.assert(
    fc.property(fc.integer({ min: -2_000_000_000, max: 10_000_000_000 }), (seconds) => {
      assert.equal(parseHttpDate(new Date(seconds * 1000).toUTCString()), seconds);
    }),
  );
});

test('two digits of a year are of this century up to 69', () => {
  assert.equal(parseHttpDate('Monday, 01-Jan-69 00:00:00 GMT'), Date.UTC(2069, 0, 1) / 1000);
  assert.equal(parseHttpDate('Thursday, 01-Jan-70 00:00:00 GMT'), 0);
});

test('what is no such date is none', () => {
  const malformed = [
    '',
    '0',
    `${SECONDS}`,
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0100',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 nov 1994 08:49:37 GMT',
    'Sun, 06 Novanx 1994 08:49:37 GMT',
    'Sun, 06 anF 1994 08:49:37 GMT',
    'Sun, 06 Xyz 1994 08:49:37 GMT',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 32 Dec 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:60 GMT',
    'Sun, 06 Nov 199 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ];
  for (const text of malformed) assert.equal(parseHttpDate(text), undefined, text);
  assert.equal(parseHttpDate('Tue, 29 Feb 2000 00:00:00 GMT'), Date.UTC(2000, 1, 29) / 1000);
  assert.equal(parseHttpDate('Thu, 29 Feb 1900 00:00:00 GMT'), undefined);
});
