import { type ByteSet, intersects, NO_CHARACTER, runsOf } from './byte-set.ts';
import { isNullable } from './first-set.ts';
import { childrenOf, type PatternNode, type RepeatNode } from './pattern-node.ts';

/** An upper bound of steps on a text of n characters: `fixed` + `linear` · n. */
export interface Cost {
  readonly fixed: number;
  readonly linear: number;
}

/** What a backtracking engine does with all the rest of a pattern, from one position of the text on. */
export interface Attempt {
  /** The characters with which the rest can go on. */
  readonly first: ByteSet;
  /** Steps until it fails where the next character is none of `first`. */
  readonly idle: number;
  /** It matches at every position. */
  readonly infallible: boolean;
  /** Steps until it fails; 0 for an infallible one. */
  readonly failure: Cost;
  /** Steps until it matches. As it is all the rest, this happens once in a search. */
  readonly success: Cost;
}

const NOTHING: Cost = { fixed: 0, linear: 0 };
const ENDLESS: Cost = { fixed: Number.POSITIVE_INFINITY, linear: Number.POSITIVE_INFINITY };
/** The end of a pattern. */
const MATCHED: Attempt = { first: NO_CHARACTER, idle: 0, infallible: true, failure: NOTHING, success: NOTHING };

/** What an attempt to match a pattern at one position costs; infinite costs where they may grow faster than the text. */
export function attemptOf(pattern: PatternNode): Attempt {
  return prepend(pattern, MATCHED);
}

function prepend(node: PatternNode, rest: Attempt): Attempt {
  switch (node.kind) {
    case 'set':
      return { first: node.members, idle: 1, infallible: false, failure: plus(rest.failure, 1), success: plus(rest.success, 1) };
    case 'assertion':
      return { ...rest, idle: rest.idle + 1, infallible: false, failure: plus(rest.failure, 1), success: plus(rest.success, 1) };
    case 'sequence':
      return node.parts.reduceRight((following, part) => prepend(part, following), rest);
    case 'choice':
      return oneOf(node.alternatives.map((alternative) => prepend(alternative, rest)));
    case 'capture':
      return prepend(node.body, rest);
    case 'repeat':
      return node.body.kind === 'set' ? repeatSet(node, node.body.members, rest) : repeatNode(node, rest);
  }
}

/** Which alternatives get beyond their first character depends on that character, so the worst character counts. */
function oneOf(attempts: readonly Attempt[]): Attempt {
  const idle = attempts.reduce((sum, attempt) => sum + attempt.idle, attempts.length);
  const fixed = new Float64Array(257).fill(idle);
  const linear = new Float64Array(257);
  for (const attempt of attempts) {
    for (const [low, high] of runsOf(attempt.first)) {
      for (let code = low; code <= high; code++) {
        fixed[code] = (fixed[code] ?? 0) + Math.max(0, attempt.failure.fixed - attempt.idle);
        linear[code] = (linear[code] ?? 0) + attempt.failure.linear;
      }
    }
  }
  const failure = { fixed: Math.max(...fixed), linear: Math.max(...linear) };
  const infallible = attempts.some((attempt) => attempt.infallible);
  return {
    first: attempts.reduce((union, attempt) => union | attempt.first, NO_CHARACTER),
    idle,
    infallible,
    failure: infallible ? NOTHING : failure,
    success: attempts.reduce((sum, attempt) => sumOf(sum, attempt.success), failure),
  };
}

/** One set repeated: the rest is tried once behind the whole run, and at each place inside of it. */
function repeatSet(node: RepeatNode, members: ByteSet, rest: Attempt): Attempt {
  const { min, max } = node;
  const varies = max > min && !rest.infallible;
  const meets = intersects(members, rest.first);
  const inside = {
    fixed: varies ? (meets ? Math.max(rest.failure.fixed, rest.idle) : rest.idle) : 0,
    linear: varies && meets ? rest.failure.linear : 0,
  };
  const tries =
    max === Number.POSITIVE_INFINITY ? perCharacter(inside, min) : { fixed: max * (1 + inside.fixed), linear: max * inside.linear };
  const failure = sumOf(tries, rest.failure);
  return {
    first: min === 0 ? members | rest.first : members,
    idle: min === 0 ? 1 + rest.idle : 1,
    infallible: min === 0 && rest.infallible,
    failure: rest.infallible ? { fixed: min, linear: 0 } : failure,
    success: sumOf(failure, rest.success),
  };
}

/** A run may be as long as the text. What costs more with the text at each place of it costs too much. */
function perCharacter(inside: Cost, min: number): Cost {
  return inside.linear > 0 ? ENDLESS : { fixed: min + 1, linear: 1 + inside.fixed };
}

/** A repeated group is written out. One without an end is a matter for the other engine, as is what JavaScript matches differently. */
function repeatNode(node: RepeatNode, rest: Attempt): Attempt {
  const { body, min, max } = node;
  if (max === Number.POSITIVE_INFINITY || isNullable(body) || (max > 1 && hasCapture(body)))
    return { ...rest, failure: ENDLESS, success: ENDLESS };
  let attempt = rest;
  for (let count = max; count > min; count--) attempt = oneOf([prepend(body, attempt), rest]);
  for (let count = min; count > 0; count--) attempt = prepend(body, attempt);
  return attempt;
}

/** In a repeated group JavaScript forgets what was captured the time before; PCRE and RE2 keep it. */
function hasCapture(node: PatternNode): boolean {
  return node.kind === 'capture' || childrenOf(node).some(hasCapture);
}

function plus(cost: Cost, steps: number): Cost {
  return cost === NOTHING ? { fixed: steps, linear: 0 } : { fixed: cost.fixed + steps, linear: cost.linear };
}

function sumOf(one: Cost, other: Cost): Cost {
  return { fixed: one.fixed + other.fixed, linear: one.linear + other.linear };
}
