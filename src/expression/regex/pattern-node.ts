import type { ByteSet } from './byte-set.ts';

/** What holds at a position without a character being taken. */
export type AssertionName = 'start' | 'end' | 'line-start' | 'line-end' | 'word-boundary' | 'not-word-boundary';

/** A regular expression as a tree. Letters' case, flags and names are resolved: what is left is what an engine matches. */
export type PatternNode =
  /** One character out of a set. */
  | { readonly kind: 'set'; readonly members: ByteSet }
  /** One after the other; none for the empty pattern. */
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  /** The first that leads to a match. */
  | { readonly kind: 'choice'; readonly alternatives: readonly PatternNode[] }
  /** `max` is Infinity for no end. A possessive one never gives back what it took. */
  | { readonly kind: 'repeat'; readonly body: PatternNode; readonly min: number; readonly max: number; readonly mode: RepeatMode }
  | { readonly kind: 'capture'; readonly body: PatternNode }
  | { readonly kind: 'assertion'; readonly name: AssertionName };

export type RepeatMode = 'greedy' | 'lazy' | 'possessive';
export type RepeatNode = Extract<PatternNode, { readonly kind: 'repeat' }>;

export interface Pattern {
  readonly root: PatternNode;
  readonly captureCount: number;
  /** The numbers of captures by their names. */
  readonly names: ReadonlyMap<string, number>;
}

/** How many characters, sets and marks the pattern has when every repetition is written out: what an engine has to keep in mind. */
export function stepCount(node: PatternNode): number {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return 1;
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + stepCount(part), 0);
    case 'choice':
      return node.alternatives.reduce((sum, alternative) => sum + 1 + stepCount(alternative), 0);
    case 'capture':
      return 1 + stepCount(node.body);
    case 'repeat':
      return Math.max(1, stepCount(node.body)) * (node.max === Number.POSITIVE_INFINITY ? node.min + 1 : Math.max(1, node.max));
  }
}

/** The parts of a pattern that stand one after the other, those inside of captures as well. */
export function flattened(node: PatternNode): readonly PatternNode[] {
  if (node.kind === 'sequence') return node.parts.flatMap(flattened);
  return node.kind === 'capture' ? flattened(node.body) : [node];
}

/** The nodes directly inside of a node. */
export function childrenOf(node: PatternNode): readonly PatternNode[] {
  switch (node.kind) {
    case 'set':
    case 'assertion':
      return [];
    case 'sequence':
      return node.parts;
    case 'choice':
      return node.alternatives;
    case 'repeat':
    case 'capture':
      return [node.body];
  }
}
