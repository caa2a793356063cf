import { compileExpression } from '../../expression/index.ts';
import type { RandomNumbers } from '../../lib/random-numbers.ts';
import type { RequestView } from '../../plugin-kit/index.ts';
import type { FaultCondition } from './schema.ts';

/** When a fault happens. */
export interface CompiledCondition {
  /** Whether one of the expressions holds. */
  matches(request: RequestView): boolean;
  /** Throws the dice; to be asked once, and only where it matches. */
  strikes(): boolean;
}

const HUNDRED = 100;

/** An absent percentage always strikes, 0 never; absent expressions always match, an empty list never (APISIX fault-injection). */
export function compileCondition({ vars, percentage }: FaultCondition, numbers: RandomNumbers): CompiledCondition {
  const rules = vars?.map(compileExpression);
  return {
    matches: (request) => rules === undefined || rules.some((rule) => rule.kind === 'expression' && rule.test(request)),
    strikes: () => percentage === undefined || numbers.below(HUNDRED) < percentage,
  };
}
