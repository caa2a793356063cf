import type { PatternNode } from './pattern-node.ts';
import type { RegexEngine } from './regex-engine.ts';
import { JAVASCRIPT, writePattern } from './write-pattern.ts';

/** JavaScript's own engine, for patterns that `isLinear` accepts. */
export function nativeEngine(pattern: PatternNode): RegexEngine {
  const source = writePattern(pattern, JAVASCRIPT);
  const tester = new RegExp(source);
  const finder = new RegExp(source, 'g');
  return {
    name: 'native',
    test: (text) => tester.test(text),
    find: (text, from) => {
      finder.lastIndex = from;
      const match = finder.exec(text);
      return match === null ? undefined : { index: match.index, captures: match.slice() };
    },
    prepareForMany: () => {},
  };
}
