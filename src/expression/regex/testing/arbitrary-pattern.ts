import fc from 'fast-check';
import { bytesIn, complement } from '../byte-set.ts';
import { childrenOf, type PatternNode } from '../pattern-node.ts';

const set = fc.constantFrom('a', 'b', 'c', 'ab', 'bc', 'abc', 'a\n').map((text): PatternNode => ({ kind: 'set', members: bytesIn(text) }));
const anySet = fc.oneof(
  { weight: 4, arbitrary: set },
  {
    weight: 1,
    arbitrary: fc.constantFrom('a', 'b', '\n').map((text): PatternNode => ({ kind: 'set', members: complement(bytesIn(text)) })),
  },
);
const assertion = fc
  .constantFrom('start', 'end', 'line-start', 'line-end', 'word-boundary', 'not-word-boundary')
  .map((name): PatternNode => ({ kind: 'assertion', name }));
const bounds = fc.constantFrom(
  [0, Number.POSITIVE_INFINITY],
  [0, Number.POSITIVE_INFINITY],
  [1, Number.POSITIVE_INFINITY],
  [2, Number.POSITIVE_INFINITY],
  [0, 1],
  [0, 3],
  [2, 2],
  [1, 3],
);
const mode = fc.constantFrom('greedy', 'greedy', 'lazy');

function repeated(body: fc.Arbitrary<PatternNode>): fc.Arbitrary<PatternNode> {
  return fc
    .tuple(body, bounds, mode)
    .map(([repeat, [min = 0, max = 0], how]): PatternNode => ({ kind: 'repeat', body: repeat, min, max, mode: how }));
}

/** Trees of patterns over a few characters, plain ones often enough that a good part is linear for a backtracking engine. */
export const { pattern: arbitraryPattern } = fc.letrec<{ pattern: PatternNode; group: PatternNode; part: PatternNode }>((tie) => ({
  pattern: fc.oneof(
    { weight: 4, arbitrary: tie('group') },
    {
      weight: 2,
      arbitrary: tie('group').map((group): PatternNode => ({ kind: 'sequence', parts: [{ kind: 'assertion', name: 'start' }, group] })),
    },
  ),
  group: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    {
      weight: 5,
      arbitrary: fc.array(tie('part'), { minLength: 1, maxLength: 6 }).map((parts): PatternNode => ({ kind: 'sequence', parts })),
    },
    {
      weight: 2,
      arbitrary: fc
        .array(tie('group'), { minLength: 2, maxLength: 3 })
        .map((alternatives): PatternNode => ({ kind: 'choice', alternatives })),
    },
  ),
  part: fc.oneof(
    { depthSize: 'small' },
    { weight: 8, arbitrary: anySet },
    { weight: 6, arbitrary: repeated(anySet) },
    { weight: 1, arbitrary: assertion },
    { weight: 2, arbitrary: tie('group').map((body): PatternNode => ({ kind: 'capture', body })) },
    { weight: 1, arbitrary: tie('group') },
    { weight: 2, arbitrary: repeated(tie('group')) },
  ),
}));

const piece = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n', ' ', 'é'), maxLength: 3 });

/** Texts of the kind that makes backtracking engines slow: a beginning, something again and again, an end. */
export function pumpedText(maxTimes: number): fc.Arbitrary<string> {
  return fc
    .tuple(piece, piece, fc.integer({ min: 0, max: maxTimes }), piece, fc.integer({ min: 0, max: maxTimes }), piece)
    .map(([begin, one, times, other, otherTimes, end]) => begin + one.repeat(times) + other.repeat(otherTimes) + end);
}

/** Whether a repetition may go round without taking a character: engines differ in what they capture then. */
export function repeatsNothing(node: PatternNode, isNullable: (node: PatternNode) => boolean): boolean {
  if (node.kind === 'repeat' && isNullable(node.body)) return true;
  return childrenOf(node).some((child) => repeatsNothing(child, isNullable));
}
