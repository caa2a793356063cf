import { compileExpression, withRegexBudget } from '../expression/index.ts';
import type { JsonValue } from '../lib/json.ts';
import type { Issue } from '../schema/index.ts';

/** An issue in APISIX's words for a rule (`vars`) that cannot be served; `pointer` is the rule's. */
export function checkVars(rule: JsonValue, pointer: string): readonly Issue[] {
  const compiled = withRegexBudget(() => compileExpression(rule));
  return compiled.kind === 'expression' ? [] : [{ pointer, message: `failed to validate the 'vars' expression: ${compiled.message}` }];
}
