import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { covers, overlap, type Pattern, readPattern } from './pattern.ts';

function pattern(text: string): Pattern {
  return readPattern(text) ?? assert.fail(`${text} is no pattern`);
}

test('a pattern is text with stars; of regular expressions there is only <.*>', () => {
  assert.equal(readPattern('arn:api7:iam:user/<.*>'), 'arn:api7:iam:user/*');
  assert.equal(readPattern('a**b<.*>*'), 'a*b*');
  for (const text of ['', '<[a-z]+>', 'a<b', 'a>b', '<.+>', 'x'.repeat(1_025)]) assert.equal(readPattern(text), undefined, text);
});

test('a star stands for any characters, slashes too, and nothing else is special', () => {
  assert.ok(covers(pattern('gateway:Get*'), 'gateway:GetConsumer'));
  assert.ok(covers(pattern('*'), ''));
  assert.ok(covers(pattern('a*c'), 'a/b/c'));
  assert.ok(!covers(pattern('gateway:Get'), 'gateway:GetConsumer'));
  assert.ok(!covers(pattern('a.c'), 'abc'));
  assert.ok(!covers(pattern('ab*ba'), 'aba'));
});

// A small alphabet, so that matches are frequent.
const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
const patterns = text.filter((value) => value !== '').map(pattern);

test('a pattern matches what the same regular expression matches', () => {
  fc.assert(
    fc.property(patterns, name, (one, subject) => {
      const expression = new RegExp(`^${one.replaceAll('*', '.*')}$`);
      assert.equal(covers(one, subject), expression.test(subject));
      assert.equal(overlap(one, subject), expression.test(subject));
    }),
    { numRuns: 2_000 },
  );
});

test('whatever a covered pattern matches, the covering one matches too, and they overlap', () => {
  fc.assert(
    fc.property(patterns, patterns, name, (one, other, subject) => {
      if (covers(one, other) && covers(other, subject)) assert.ok(covers(one, subject));
      if (covers(one, other)) assert.ok(overlap(one, other));
      if (covers(one, subject) && covers(other, subject)) assert.ok(overlap(one, other) && overlap(other, one));
    }),
    { numRuns: 5_000 },
  );
});

test('two patterns overlap exactly when some short name is matched by both', () => {
  const names = [''];
  for (let index = 0; (names[index] ?? '').length < 5; index += 1) for (const letter of 'ab') names.push(`${names[index]}${letter}`);
  const short = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 3 }).map(pattern);
  fc.assert(
    fc.property(short, short, (one, other) => {
      assert.equal(
        overlap(one, other),
        names.some((subject) => covers(one, subject) && covers(other, subject)),
      );
    }),
    { numRuns: 500 },
  );
});

test('a hostile pattern costs time in proportion to its length, not to its stars', () => {
  const one = pattern(`${'a*'.repeat(400)}b`);
  assert.ok(!covers(one, 'a'.repeat(20_000)));
  assert.ok(!overlap(`${'a*'.repeat(300)}b`, `${'*a'.repeat(300)}c`));
});
