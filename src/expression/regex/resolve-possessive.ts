import { type ByteSet, intersects, NO_CHARACTER } from './byte-set.ts';
import { firstSet } from './first-set.ts';
import { PatternError } from './pattern-error.ts';
import type { PatternNode, RepeatNode } from './pattern-node.ts';

/**
 * The same pattern without possessive repetitions. `[a-z]++` followed by nothing that begins with a letter is `[a-z]+`: what it took
 * would be of no use to what follows.
 * @throws PatternError for one that is not that plain
 */
export function resolvePossessive(node: PatternNode, after: ByteSet = NO_CHARACTER): PatternNode {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return node;
    case 'sequence':
      return { kind: 'sequence', parts: resolveSequence(node.parts, after) };
    case 'choice':
      return { kind: 'choice', alternatives: node.alternatives.map((alternative) => resolvePossessive(alternative, after)) };
    case 'capture':
      return { kind: 'capture', body: resolvePossessive(node.body, after) };
    case 'repeat':
      return resolveRepeat(node, after);
  }
}

function resolveSequence(parts: readonly PatternNode[], after: ByteSet): readonly PatternNode[] {
  let following = after;
  const resolved = parts.toReversed().map((part) => {
    const result = resolvePossessive(part, following);
    following = firstSet(part, following);
    return result;
  });
  return resolved.reverse();
}

function resolveRepeat(node: RepeatNode, after: ByteSet): PatternNode {
  const repeats = node.max > 1;
  const body = resolvePossessive(node.body, repeats ? firstSet(node.body, after) | after : after);
  if (node.mode !== 'possessive') return { ...node, body };
  if (body.kind !== 'set' || intersects(body.members, after))
    throw new PatternError('a possessive quantifier is supported only behind a character or set with which nothing that follows can begin');
  return { ...node, body, mode: 'greedy' };
}
