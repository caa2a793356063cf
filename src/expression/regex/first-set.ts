import { ANY_CHARACTER, type ByteSet, NO_CHARACTER } from './byte-set.ts';
import type { PatternNode } from './pattern-node.ts';

/** Whether a node can match without taking a character. */
export function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'assertion':
      return true;
    case 'sequence':
      return node.parts.every(isNullable);
    case 'choice':
      return node.alternatives.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.body);
    case 'capture':
      return isNullable(node.body);
  }
}

/**
 * The characters with which a node can go on when those in `after` can follow it. Where what follows depends on the neighbours of a
 * position (`\b`), that may be any.
 */
export function firstSet(node: PatternNode, after: ByteSet): ByteSet {
  switch (node.kind) {
    case 'set':
      return node.members;
    case 'assertion':
      return node.name === 'end' ? NO_CHARACTER : ANY_CHARACTER;
    case 'sequence':
      return node.parts.reduceRight((following, part) => firstSet(part, following), after);
    case 'choice':
      return node.alternatives.reduce((union, alternative) => union | firstSet(alternative, after), NO_CHARACTER);
    case 'repeat':
      return node.max === 0 ? after : firstSet(node.body, after) | (isNullable(node) ? after : NO_CHARACTER);
    case 'capture':
      return firstSet(node.body, after);
  }
}
