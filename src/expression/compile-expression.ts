import { byteStringOf } from '../lib/byte-string.ts';
import type { JsonValue } from '../lib/json.ts';
import { type Condition, compileCondition, isOperator } from './compile-term.ts';
import { InvalidExpression } from './invalid-expression.ts';
import type { VariableSource } from './variable-source.ts';

/** A `vars` rule that is ready to be asked. */
export interface CompiledExpression {
  readonly kind: 'expression';
  /** The names it may read, each once; byte strings. */
  readonly variables: readonly string[];
  /** Whether a request meets it. Reads no variable after the answer is certain. */
  test(source: VariableSource): boolean;
}

/** Deeper rules are refused. */
const MAX_DEPTH = 64;
/** Rules with more terms and list elements are refused: one request may have to pass all of them. */
const MAX_TERMS = 10_000;

type Test = (source: VariableSource) => boolean;

/** How the parts of a list are joined, by its first element in upper case; a list that begins with a list is `AND`. */
const JOINS: ReadonlyMap<string, { readonly any: boolean; readonly negated: boolean }> = new Map([
  ['AND', { any: false, negated: false }],
  ['OR', { any: true, negated: false }],
  ['!AND', { any: false, negated: true }],
  ['!OR', { any: true, negated: true }],
]);
const AND = { any: false, negated: false };

/**
 * Compiles the rule of `vars`, `match`, `filter` and the like: `[[name, operator, value], …]`, see docs/reference/expressions.md.
 * Meaning and error texts are those of api7/lua-resty-expr, which APISIX uses, but for regular expressions: what does not compile,
 * or cannot be matched in linear time, is invalid here.
 */
export function compileExpression(rule: JsonValue): CompiledExpression | { readonly kind: 'invalid'; readonly message: string } {
  const compiler = new Compiler();
  try {
    const test = compiler.compileRule(rule);
    return { kind: 'expression', variables: [...compiler.variables], test };
  } catch (error) {
    if (error instanceof InvalidExpression) return { kind: 'invalid', message: error.message };
    throw error;
  }
}

class Compiler {
  readonly variables = new Set<string>();
  #terms = 0;

  compileRule(rule: JsonValue): Test {
    if (!Array.isArray(rule)) throw new InvalidExpression('rule should be wrapped inside brackets');
    if (rule.length === 0) return () => true;
    if (!Array.isArray(rule[0]) && joinOf(rule[0]) === undefined) throw new InvalidExpression('rule should be wrapped inside brackets');
    return this.#compileList(rule, 1);
  }

  #compileList(list: readonly JsonValue[], depth: number): Test {
    if (depth > MAX_DEPTH) throw new InvalidExpression(`the expression is nested more than ${MAX_DEPTH} levels deep`);
    if (list.length === 0) throw new InvalidExpression('rule too short');
    const join = Array.isArray(list[0]) ? AND : joinOf(list[0]);
    if (join === undefined) return this.#compileTerm(list);
    const parts = Array.isArray(list[0]) ? list : list.slice(1);
    if (parts !== list && parts.length < 2) throw new InvalidExpression('rule too short');
    const tests = parts.map((part) => {
      if (!Array.isArray(part)) throw new InvalidExpression('invalid expression');
      return this.#compileList(part, depth + 1);
    });
    return joinTests(tests, join.any, join.negated);
  }

  /** `[name, operator, value]`, `[name, "!", operator, value]`, `[name, value]`. */
  #compileTerm(term: readonly JsonValue[]): Test {
    if (term.length === 4 && term[1] !== '!') throw new InvalidExpression("bad 'not' expression");
    const negated = term.length === 4;
    const [name, operator, operand] = negated ? [term[0], term[2], term[3]] : term;
    if (typeof name !== 'string' || operator === undefined || operator === null || term.length > 4)
      throw new InvalidExpression('invalid expression');
    this.#countTerms(Array.isArray(operand) ? operand.length : 1);
    const variable = byteStringOf(name);
    this.variables.add(variable);
    return testOf(variable, this.#compileCondition(operator, operand), negated);
  }

  #compileCondition(operator: JsonValue, operand: JsonValue | undefined): Condition {
    const operatorName = typeof operator === 'string' ? operator.toLowerCase() : '';
    if (operand === undefined && !isOperator(operatorName)) return compileCondition('==', operator);
    if (typeof operator !== 'string') throw new InvalidExpression('invalid expression');
    return compileCondition(operatorName, operand);
  }

  #countTerms(count: number): void {
    this.#terms += count;
    if (this.#terms > MAX_TERMS) throw new InvalidExpression(`the expression has more than ${MAX_TERMS} terms and list elements`);
  }
}

function joinOf(first: JsonValue | undefined): { readonly any: boolean; readonly negated: boolean } | undefined {
  return typeof first === 'string' ? JOINS.get(first.toUpperCase()) : undefined;
}

function testOf(variable: string, condition: Condition, negated: boolean): Test {
  return negated ? (source) => !condition(source.variable(variable)) : (source) => condition(source.variable(variable));
}

/** `any`: one that holds is enough; else all must. */
function joinTests(tests: readonly Test[], any: boolean, negated: boolean): Test {
  const [only] = tests;
  if (only !== undefined && tests.length === 1 && !negated) return only;
  return (source) => {
    for (const test of tests) if (test(source) === any) return any !== negated;
    return any === negated;
  };
}
