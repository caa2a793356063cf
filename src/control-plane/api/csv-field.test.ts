import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvField } from './csv-field.ts';

test('a field is quoted, and what would be a formula becomes text', () => {
  const fields = ['plain', 'a,b', 'say "x"', 'two\nlines', '=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', 'Ü', '＝1+1'];
  assert.deepEqual(fields.map(csvField), [
    '"plain"',
    '"a,b"',
    '"say ""x"""',
    '"two\nlines"',
    `"'=1+1"`,
    `"'+1"`,
    `"'-1"`,
    `"'@SUM(A1)"`,
    `"'\t=1"`,
    `"'\r=1"`,
    '" =1"',
    '"Ü"',
    `"'＝1+1"`,
  ]);
  assert.deepEqual([csvField(-5), csvField(undefined)], ['"-5"', '""']);
});
