import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../lib/json.ts';
import { compileExpression } from './compile-expression.ts';
import type { VariableValue } from './variable-source.ts';

type Variables = Readonly<Record<string, VariableValue>>;

/** Numbers of the texts that the test uses; the real conversion has a test of its own. */
function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** A plain reading of the rule at each question: nothing compiled, nothing shared with the compiler. */
function interpret(rule: readonly JsonValue[], variables: Variables): boolean {
  if (rule.length === 0) return true;
  const [first, ...rest] = rule;
  if (Array.isArray(first)) return rule.every((part) => interpret(part as readonly JsonValue[], variables));
  const parts = (): readonly boolean[] => rest.map((part) => interpret(part as readonly JsonValue[], variables));
  switch (String(first).toUpperCase()) {
    case 'AND':
      return !parts().includes(false);
    case '!AND':
      return parts().includes(false);
    case 'OR':
      return parts().includes(true);
    case '!OR':
      return !parts().includes(true);
  }
  if (rule.length === 2) return compare(variables[String(first)], '==', rule[1] ?? null);
  if (rule.length === 4) return !compare(variables[String(first)], String(rule[2]), rule[3] ?? null);
  return compare(variables[String(first)], String(rule[1]), rule[2] ?? null);
}

function compare(value: VariableValue, operator: string, operand: JsonValue): boolean {
  const number = toNumber(value);
  const bound = toNumber(operand);
  const both = number !== undefined && bound !== undefined;
  switch (operator.toLowerCase()) {
    case '==':
      return isEqual(value, operand);
    case '~=':
      return !isEqual(value, operand);
    case '>':
      return both && number > bound;
    case '>=':
      return both && number >= bound;
    case '<':
      return both && number < bound;
    case '<=':
      return both && number <= bound;
    case '~~':
      return !Array.isArray(value) && value !== undefined && new RegExp(String(operand)).test(String(value));
    case '~*':
      return !Array.isArray(value) && value !== undefined && new RegExp(String(operand), 'i').test(String(value));
    case 'in':
      return (
        Array.isArray(operand) && operand.some((element) => element === value || (typeof value === 'number' && element === String(value)))
      );
    case 'has':
      return Array.isArray(value) && value.some((element) => element === operand);
    case 'ipmatch':
      return typeof value === 'string' && isIP(value) === 4 && value.startsWith('10.');
    default:
      throw new Error(operator);
  }
}

function isEqual(value: VariableValue, operand: JsonValue): boolean {
  if (operand === null) return value === undefined;
  if (typeof operand === 'number') return toNumber(value) === operand;
  return value === operand || (typeof value === 'number' && String(value) === operand);
}

const name = fc.constantFrom('a', 'b', 'c', 'absent');
const scalar = fc.constantFrom<string | number>('', 'v', 'w', '1', '2.5', '10', 1, 2.5, 10, 'AND', 'in');
const value = fc.oneof(scalar, fc.array(fc.constantFrom('v', 'w', '1')), fc.constantFrom('10.0.0.1', '11.0.0.1'));
const anyCase = (text: string): fc.Arbitrary<string> => fc.constantFrom(text, text.toLowerCase(), text.toUpperCase());

const comparison = fc.oneof(
  fc.tuple(fc.constantFrom('==', '~=', '>', '>=', '<', '<='), fc.oneof(scalar, fc.constant(null), fc.boolean())),
  fc.tuple(fc.constantFrom('~~', '~*'), fc.constantFrom('v', '^1', 'W$', '[0-9]+', '.', '^(v|w)$', 10)),
  fc.tuple(anyCase('in'), fc.array(scalar)),
  fc.tuple(anyCase('has'), fc.constantFrom('v', 'w', '1', 1)),
  fc.tuple(anyCase('ipmatch'), fc.constantFrom<JsonValue>('10.0.0.0/8', ['10.0.0.0/9', '10.128.0.0/9'])),
);
const term: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.tuple(name, comparison).map(([variable, [operator, operand]]) => [variable, operator, operand]),
  fc.tuple(name, comparison).map(([variable, [operator, operand]]) => [variable, '!', operator, operand]),
  fc.tuple(name, fc.constantFrom<JsonValue>('v', 'w', '1', 1)).map(([variable, operand]) => [variable, operand]),
);
const { rule } = fc.letrec<{ rule: JsonValue[]; part: JsonValue }>((tie) => ({
  part: fc.oneof({ depthSize: 'small' }, term, tie('rule')),
  rule: fc.oneof(
    fc.array(tie('part'), { minLength: 1, maxLength: 4 }).filter((parts) => Array.isArray(parts[0])),
    fc
      .tuple(fc.constantFrom('AND', 'OR', '!AND', '!OR', 'or', '!and'), fc.array(tie('part'), { minLength: 2, maxLength: 4 }))
      .map(([join, parts]) => [join, ...parts]),
  ),
}));

test('a compiled rule answers as a plain reading of it, for any rule and any variables', () => {
  fc.assert(
    fc.property(rule, fc.record({ a: value, b: value, c: value }, { requiredKeys: [] }), (vars, given) => {
      const variables: Variables = given;
      const compiled = compileExpression(vars);
      assert(compiled.kind === 'expression', JSON.stringify(compiled));
      assert.equal(compiled.test({ variable: (each) => variables[each] }), interpret(vars, variables));
    }),
    { numRuns: 2000 },
  );
});

test('any JSON at all is compiled or refused, and never makes the compiler throw', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => {
      const compiled = compileExpression(json as JsonValue);
      if (compiled.kind === 'expression') assert.equal(typeof compiled.test({ variable: () => undefined }), 'boolean');
      else assert.notEqual(compiled.message, '');
    }),
    { numRuns: 2000 },
  );
});
