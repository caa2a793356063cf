import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isAmortised } from './is-amortised.ts';
import { parsePattern } from './parse-pattern.ts';
import { type PatternNode, stepCount } from './pattern-node.ts';
import { arbitraryPattern, pumpedText } from './testing/arbitrary-pattern.ts';
import { BacktrackingMatcher } from './testing/backtracking-matcher.ts';
import { RE2, writePattern } from './write-pattern.ts';

/** How many characters are read in all while every match of a text is searched for, by an engine that reads no more than it must. */
function charactersRead(pattern: PatternNode, text: string): number {
  const matcher = new BacktrackingMatcher({ root: pattern });
  let read = 0;
  for (let from = 0; from <= text.length; ) {
    matcher.farthest = from;
    const match = matcher.find(text, from);
    read += matcher.farthest - from + 1;
    if (match === undefined) break;
    from = match.index + Math.max(1, match.captures[0]?.length ?? 0);
  }
  return read;
}

function rootOf(pattern: string): PatternNode {
  return parsePattern(pattern, { ignoreCase: false, dotAll: false, multiline: false }).root;
}

test('all matches of an amortised pattern are found by reading each character a fixed number of times', () => {
  const pattern = arbitraryPattern.filter((node) => stepCount(node) <= 20 && isAmortised(node));
  fc.assert(
    fc.property(pattern, pumpedText(60), (node, text) => {
      const read = charactersRead(node, text);
      const allowed = (text.length + 1) * (stepCount(node) + 4);
      assert(read <= allowed, `${writePattern(node, RE2)} on ${JSON.stringify(text)}: ${read} > ${allowed}`);
    }),
    { numRuns: 3000 },
  );
});

test('patterns are told apart by whether a search may have to read far beyond its match', () => {
  for (const pattern of [
    'abc',
    'a{1,9}b|c',
    '"[^"]*"',
    'https?://[a-z.]+',
    '(?:src|href)="([^"]*)"',
    '<b>.*?</b>',
    '<a href="([^"]*)">([^<]*)</a>',
    '[a-z]+:[0-9]+',
    'a.*b',
  ])
    assert.equal(isAmortised(rootOf(pattern)), true, pattern);
  for (const pattern of ['a.*b|a', 'a(?:.*b)?', '(?:ab)*c|a', 'a.*b.*c', '(?:a+b)+', 'x[^z]*z|y'])
    assert.equal(isAmortised(rootOf(pattern)), false, pattern);
  const text = 'a'.repeat(300);
  assert(charactersRead(rootOf('a(?:.*b)?'), text) > 40_000, 'the measure sees what it is to see');
  assert(charactersRead(rootOf('a.*b'), text) < 1000);
});
