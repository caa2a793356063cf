import { RE2JS } from 're2js';
import { PatternError } from './pattern-error.ts';
import type { PatternNode } from './pattern-node.ts';
import type { EngineMatch, RegexEngine } from './regex-engine.ts';
import { RE2, writePattern } from './write-pattern.ts';

/** Each costs up to 40 ns for each character of a text. */
const MAX_INSTRUCTIONS = 2000;
/** What one pattern's automaton may keep of the states that it has met; the library's own bound is 8 MiB. */
const MAX_STATE_BYTES = 512 * 1024;

/**
 * RE2's algorithms in JavaScript: time in proportion to the text on any pattern, at a price of 40 to 70 times the native engine.
 * @throws PatternError for a pattern that is too large
 */
export function re2Engine(pattern: PatternNode): RegexEngine {
  const regex = compile(writePattern(pattern, RE2));
  if (regex.programSize() > MAX_INSTRUCTIONS)
    throw new PatternError('the pattern is too large: each character of a text would take too long');
  const { dfa } = regex.re2();
  dfa.stateBudget = MAX_STATE_BYTES;
  dfa.memBudget = MAX_STATE_BYTES;
  return {
    name: 're2',
    test: (text) => regex.test(text),
    find: (text, from) => findFrom(regex, text, from),
    // What looks ahead for the literals of a pattern may read to the end of the text at each match.
    prepareForMany: () => {
      regex.re2().prefilter = null;
    },
  };
}

/** RE2 has bounds of its own for repetitions inside one another. */
function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch {
    throw new PatternError('the pattern is too large: repetitions inside one another may come to 1000 in all');
  }
}

function findFrom(regex: RE2JS, text: string, from: number): EngineMatch | undefined {
  const matcher = regex.matcher(text);
  if (!matcher.find(from)) return undefined;
  const captures = Array.from({ length: matcher.groupCount() + 1 }, (_, number) => matcher.group(number) ?? undefined);
  return { index: matcher.start(), captures };
}
