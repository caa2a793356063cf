import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FIELD_SEPARATOR, foldText } from './fold-text.ts';

const characters = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), { maxLength: 8 });

test('a part of a text is found in it, wherever it was cut between characters', () => {
  fc.assert(
    fc.property(characters, characters, characters, (before, part, after) => {
      const whole = foldText([...before, ...part, ...after].join(''));
      assert.equal(whole, [before, part, after].map((some) => foldText(some.join(''))).join(''));
    }),
  );
});

test('case makes no difference, in any script', () => {
  for (const [one, other] of [
    ['Straße', 'STRASSE'],
    ['ΟΔΟΣ', 'οδος'],
    ['Жук', 'жУК'],
    ['ﬁn', 'FIN'],
  ] as const) {
    assert.equal(foldText(one), foldText(other));
  }
  assert.notEqual(foldText('a'), foldText('ä'));
});

test('folded text can be stored anywhere: no NUL, no separator, no half of a surrogate pair', () => {
  const folded = foldText(`a\0b${FIELD_SEPARATOR}c\ud800`);
  assert.equal(folded, 'a\uFFFDb\uFFFDc\uFFFD');
});
