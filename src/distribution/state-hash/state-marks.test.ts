import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../../test-support/seeded-random.ts';
import { stateDifference } from './state-hash.ts';
import { StateMarks } from './state-marks.ts';

const ALL = (): boolean => true;

/** What a map of texts comes to, from the beginning. */
function hashOf(items: ReadonlyMap<string, string>): ReturnType<StateMarks['hash']> {
  const marks = new StateMarks();
  for (const [name, text] of [...items].reverse()) marks.change(name.slice(0, 1), name, text);
  return marks.hash();
}

test('whatever the history, what is left decides, and what was there before may be added later', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const items = new Map<string, string>();
    const earlier = new Map<string, string>();
    for (let index = 0; index < 300; index++) earlier.set(`a${index}`, `first ${index}`);
    const marks = new StateMarks();
    for (const [name, text] of earlier) items.set(name, text);
    for (let step = 0; step < 2_000; step++) {
      const name = `${random.fraction() < 0.7 ? 'a' : 'b'}${Math.floor(random.fraction() * 500)}`;
      const text = random.fraction() < 0.3 ? undefined : `text ${Math.floor(random.fraction() * 3)}`;
      marks.change(name.slice(0, 1), name, text);
      if (text === undefined) items.delete(name);
      else items.set(name, text);
    }
    for (const [name, text] of earlier) marks.addEarlier('a', name, text);
    assert.equal(stateDifference(marks.hash(), hashOf(items), ALL), undefined, `seed ${seed}`);
  }
});

test('one item that is missing, kept, or another one is found among many, and its kind is named', () => {
  const items = new Map<string, string>(Array.from({ length: 20_000 }, (_, index) => [`a${index}`, `text ${index}`]));
  const expected = hashOf(items);
  assert.equal(stateDifference(expected, expected, ALL), undefined);
  const without = new Map(items);
  without.delete('a777');
  assert.equal(stateDifference(hashOf(without), expected, ALL), 'a (19999 held, 20000 expected)');
  assert.equal(stateDifference(expected, hashOf(without), ALL), 'a (20000 held, 19999 expected)');
  assert.equal(stateDifference(hashOf(new Map(items).set('a777', 'text 778')), expected, ALL), 'a');
  assert.equal(stateDifference(hashOf(new Map(items).set('b1', 'text')), expected, ALL), 'b (1 held, 0 expected)');
  assert.equal(stateDifference(hashOf(new Map()), expected, ALL), 'a (0 held, 20000 expected)');
});

test('two items that change their texts with each other are not taken for the same', () => {
  // The text of an item has its name in it: the marks alone would come to the same.
  const one = hashOf(
    new Map([
      ['a1', '{"id":"1","value":"x"}'],
      ['a2', '{"id":"2","value":"y"}'],
    ]),
  );
  const other = hashOf(
    new Map([
      ['a1', '{"id":"1","value":"y"}'],
      ['a2', '{"id":"2","value":"x"}'],
    ]),
  );
  assert.equal(stateDifference(one, other, ALL), 'a');
});

test('kinds that one side does not know are nobody’s difference', () => {
  const expected = hashOf(
    new Map([
      ['a1', 'text'],
      ['z1', 'text'],
    ]),
  );
  assert.equal(
    stateDifference(hashOf(new Map([['a1', 'text']])), expected, (kind) => kind !== 'z'),
    undefined,
  );
});
