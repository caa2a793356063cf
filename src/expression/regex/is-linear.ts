import { attemptOf } from './backtracking-cost.ts';
import { type ByteSet, intersects } from './byte-set.ts';
import { childrenOf, flattened, type PatternNode, stepCount } from './pattern-node.ts';

/** Steps for each character of a text that a backtracking engine may need at worst. */
const MAX_STEPS_PER_CHARACTER = 1000;
/** The same for what is done once in a text. */
const MAX_STEPS_ONCE = 10_000;
/** Patterns with more steps written out are not examined. */
const MAX_EXAMINED_STEPS = 5000;

/**
 * Whether a search by JavaScript's own engine is proven to take time in proportion to the text, and gives what PCRE would give. It
 * backtracks, so each alternative of the pattern must be of one of these kinds, with few steps for each character of the text:
 *
 * - A failing attempt at a position ends after a fixed number of steps.
 * - It is attempted at the beginning of the text only, and costs no more than the length of the text once.
 * - A character that no repetition runs over must match at the beginning, and so ends the runs of attempts before it: each character
 *   of the text is visited by a fixed number of attempts.
 *
 * A repetition without an end inside of another, and one whose end cannot be told from the next character where what follows may
 * itself run on, are none of these.
 */
export function isLinear(pattern: PatternNode): boolean {
  if (stepCount(pattern) > MAX_EXAMINED_STEPS) return false;
  const alternatives = pattern.kind === 'choice' ? pattern.alternatives : [pattern];
  const whole = attemptOf(pattern);
  if (whole.success.fixed > MAX_STEPS_ONCE || whole.success.linear > MAX_STEPS_PER_CHARACTER) return false;
  if (!isAnchored(pattern) && whole.failure.fixed > MAX_STEPS_PER_CHARACTER) return false;
  return alternatives.every(isLinearAtAllPositions);
}

function isLinearAtAllPositions(alternative: PatternNode): boolean {
  const { failure } = attemptOf(alternative);
  return failure.linear === 0 || isAnchored(alternative) || isDelimited(alternative, failure.linear);
}

/** Whether a pattern can match at the beginning of a text only, and says so at its own beginning. */
export function isAnchored(node: PatternNode): boolean {
  switch (node.kind) {
    case 'assertion':
      return node.name === 'start';
    case 'sequence':
      return node.parts[0] !== undefined && isAnchored(node.parts[0]);
    case 'capture':
      return isAnchored(node.body);
    case 'choice':
      return node.alternatives.every(isAnchored);
    default:
      return false;
  }
}

function isDelimited(node: PatternNode, stepsPerCharacter: number): boolean {
  const runs = endlessRuns(node);
  for (const part of flattened(node)) {
    if (part.kind !== 'set') return false;
    const { members } = part;
    if (runs.some((run) => intersects(run, members))) continue;
    if (stepsPerCharacter * (1 + countMeeting(node, members)) <= MAX_STEPS_PER_CHARACTER) return true;
  }
  return false;
}

/** The sets that are repeated without an end. */
function endlessRuns(node: PatternNode): readonly ByteSet[] {
  if (node.kind === 'repeat' && node.max === Number.POSITIVE_INFINITY && node.body.kind === 'set') return [node.body.members];
  return childrenOf(node).flatMap(endlessRuns);
}

/** How often a match can take a character of `members`, where no run without an end does. */
function countMeeting(node: PatternNode, members: ByteSet): number {
  if (node.kind === 'set') return intersects(node.members, members) ? 1 : 0;
  const inside = childrenOf(node).reduce((sum, child) => sum + countMeeting(child, members), 0);
  return node.kind === 'repeat' ? inside * (node.max === Number.POSITIVE_INFINITY ? node.min : node.max) : inside;
}
