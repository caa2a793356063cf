import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { equalInConstantTime } from './equal-in-constant-time.ts';

test('it says of every two texts whether they are equal', () => {
  const text = fc.string({ unit: fc.constantFrom('A', 'B', '\u0141', '\u00c3', '\ud800', '\0'), maxLength: 3 });
  fc.assert(fc.property(text, text, (left, right) => assert.equal(equalInConstantTime(left, right), left === right)));
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (each) => assert.ok(equalInConstantTime(each, `${each}`))));
});
