import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readNumber } from './read-number.ts';

test('texts are numbers where Lua reads them as numbers', () => {
  for (const [text, number] of [
    ['18', 18],
    [' \t18\n', 18],
    ['-1.5', -1.5],
    ['+5.', 5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1.5E-1', 0.15],
    ['0x1F', 31],
    ['-0X10', -16],
    ['007', 7],
  ] as const) {
    assert.equal(readNumber(text), number, text);
  }
  assert.equal(readNumber(2.5), 2.5);
});

test('what is no number stays none, also where JavaScript would make one of it', () => {
  for (const text of [
    '',
    ' ',
    'a',
    '1a',
    '1 2',
    '.',
    'e3',
    '1e',
    '0x',
    '0b1',
    '0o7',
    'inf',
    'Infinity',
    'nan',
    '1_000',
    '\xa01',
    '--1',
    '1,5',
  ]) {
    assert.equal(readNumber(text), undefined, JSON.stringify(text));
  }
  for (const value of [undefined, null, true, ['1'], {}]) assert.equal(readNumber(value), undefined);
});
