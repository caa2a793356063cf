import { intersects, NO_CHARACTER } from './byte-set.ts';
import { firstSet } from './first-set.ts';
import { childrenOf, flattened, type PatternNode } from './pattern-node.ts';

/**
 * Whether finding one match after the other takes time in proportion to the text, whatever engine searches. A search may have to read
 * far beyond the match that it finds: `a.*b|a` reads to the end of the line for each `a`. That cannot happen where
 *
 * - no repetition is without an end; or
 * - there is one, of a set, and it does not stand in a choice: when it fails, it does so at every later place of the same run; or
 * - the parts stand in a row and the next character always tells which of them it belongs to: an attempt that began earlier is then
 *   at the same place as one that began later, once that has caught up.
 */
export function isAmortised(pattern: PatternNode): boolean {
  const parts = flattened(pattern);
  const endless = parts.filter((part) => isEndless(part));
  if (endless.length === 0) return true;
  if (endless.length === 1 && isSetRun(endless[0])) return true;
  return parts.every((part, index) => part.kind === 'set' || part.kind === 'assertion' || endsByItself(part, parts.slice(index + 1)));
}

function isEndless(node: PatternNode): boolean {
  return (node.kind === 'repeat' && node.max === Number.POSITIVE_INFINITY) || childrenOf(node).some(isEndless);
}

function isSetRun(node: PatternNode | undefined): boolean {
  return node?.kind === 'repeat' && node.body.kind === 'set';
}

function endsByItself(node: PatternNode, following: readonly PatternNode[]): boolean {
  if (node.kind !== 'repeat' || node.body.kind !== 'set') return false;
  return node.min === node.max || !intersects(node.body.members, firstSet({ kind: 'sequence', parts: following }, NO_CHARACTER));
}
