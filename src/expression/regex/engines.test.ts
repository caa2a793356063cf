import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attemptOf } from './backtracking-cost.ts';
import { isNullable } from './first-set.ts';
import { isAnchored, isLinear } from './is-linear.ts';
import { nativeEngine } from './native-engine.ts';
import { type PatternNode, stepCount } from './pattern-node.ts';
import { re2Engine } from './re2-engine.ts';
import { arbitraryPattern, pumpedText, repeatsNothing } from './testing/arbitrary-pattern.ts';
import { BacktrackingMatcher } from './testing/backtracking-matcher.ts';
import { RE2, writePattern } from './write-pattern.ts';

const linearPattern = arbitraryPattern.filter((pattern) => isLinear(pattern));
const plainPattern = arbitraryPattern.filter((pattern) => stepCount(pattern) <= 500 && !repeatsNothing(pattern, isNullable));

/** The most steps that the analysis allows a search of a text with n characters. */
function allowedSteps(pattern: PatternNode, n: number): number {
  const { failure, success } = attemptOf(pattern);
  // A delimited pattern visits each character by as many attempts as it has parts, at most.
  const visits = failure.linear === 0 || isAnchored(pattern) ? 1 : 1 + stepCount(pattern);
  return (n + 1) * failure.fixed + visits * failure.linear * n + success.fixed + success.linear * n;
}

test('a pattern that is called linear takes a backtracking engine no more steps than was computed, on any text', () => {
  let longRuns = 0;
  fc.assert(
    fc.property(linearPattern, fc.array(pumpedText(60), { minLength: 4, maxLength: 4 }), (pattern, texts) => {
      for (const text of texts) {
        const matcher = new BacktrackingMatcher({ root: pattern });
        matcher.find(text, 0);
        if (matcher.steps > 5 * text.length) longRuns += 1;
        const allowed = allowedSteps(pattern, text.length);
        assert(matcher.steps <= allowed, `${writePattern(pattern, RE2)} on ${JSON.stringify(text)}: ${matcher.steps} > ${allowed}`);
      }
    }),
    { numRuns: 1000 },
  );
  assert(longRuns > 20, 'the texts make patterns work');
});

test('the native engine finds what a plain backtracking matcher finds, with the same captures', () => {
  fc.assert(
    fc.property(linearPattern, pumpedText(6), fc.nat(3), (pattern, text, from) => {
      assertSameMatch(pattern, nativeEngine(pattern), text, Math.min(from, text.length));
    }),
    { numRuns: 1000 },
  );
});

test('RE2 finds what a plain backtracking matcher finds, with the same captures', () => {
  fc.assert(
    fc.property(plainPattern, pumpedText(4), fc.nat(3), (pattern, text, from) => {
      assertSameMatch(pattern, re2Engine(pattern), text, Math.min(from, text.length));
    }),
    { numRuns: 500 },
  );
});

function assertSameMatch(pattern: PatternNode, engine: ReturnType<typeof nativeEngine>, text: string, from: number): void {
  const expected = new BacktrackingMatcher({ root: pattern }).find(text, from);
  const found = engine.find(text, from);
  const message = `${writePattern(pattern, RE2)} on ${JSON.stringify(text)}`;
  assert.equal(found?.index, expected?.index, message);
  assert.deepEqual(found && [...found.captures], expected && [...expected.captures], message);
  if (from === 0) assert.equal(engine.test(text), expected !== undefined, message);
}
