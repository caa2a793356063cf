import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../lib/json.ts';
import { compileExpression } from './compile-expression.ts';
import type { VariableSource, VariableValue } from './variable-source.ts';

function sourceOf(variables: Readonly<Record<string, VariableValue>>): VariableSource {
  const values = new Map(Object.entries(variables));
  return { variable: (name) => values.get(name) };
}

function evaluate(rule: JsonValue, variables: Readonly<Record<string, VariableValue>>): boolean {
  const compiled = compileExpression(rule);
  assert(compiled.kind === 'expression', `${JSON.stringify(rule)}: ${JSON.stringify(compiled)}`);
  return compiled.test(sourceOf(variables));
}

function messageOf(rule: JsonValue): string {
  const compiled = compileExpression(rule);
  assert(compiled.kind === 'invalid', JSON.stringify(rule));
  return compiled.message;
}

/** A term, the value of its variable `x`, and whether it holds. */
const TERMS: ReadonlyArray<readonly [operator: string, operand: JsonValue, value: VariableValue, holds: boolean]> = [
  ['==', 'v', 'v', true],
  ['==', 'v', 'V', false],
  ['==', 'v', undefined, false],
  ['==', '1', '1', true],
  ['==', '1', '1.0', false],
  ['==', 1, '1', true],
  ['==', 1, '1.0', true],
  ['==', 1, ' 0x1 ', true],
  ['==', 1, 'a', false],
  ['==', 1, undefined, false],
  ['==', 0, '', false],
  ['==', 200, 200, true],
  ['==', '200', 200, true],
  ['==', '200.0', 200, false],
  ['==', null, undefined, true],
  ['==', null, '', false],
  ['==', true, 'true', false],
  ['==', ['v'], ['v'], false],
  ['==', 'v', ['v'], false],
  ['==', 'café', 'caf\xc3\xa9', true],
  ['~=', 'v', 'w', true],
  ['~=', 'v', 'v', false],
  ['~=', 'v', undefined, true],
  ['~=', 18, '18', false],
  ['~=', 18, '16', true],
  ['~=', 18, 'aa', true],
  ['~=', 18, undefined, true],
  ['~=', '18', '18', false],
  ['~=', null, 'v', true],
  ['~=', null, undefined, false],
  ['~=', true, 'true', true],
  ['>', 10, '11', true],
  ['>', 10, '10', false],
  ['>', '10', '9', false],
  ['>', '9', '10', true],
  ['>', 10, undefined, false],
  ['>', 10, 'x', false],
  ['>', 'x', '11', false],
  ['>', null, '11', false],
  ['>', 10, 11, true],
  ['>', 10, ['11'], false],
  ['>=', '2', '2', true],
  ['>=', 3, '2', false],
  ['<', 10, '9.5', true],
  ['<', 10, '10', false],
  ['<=', '2', '3', false],
  ['<=', 3, '3', true],
  ['~~', '[a-z]+', 'ABC', false],
  ['~~', '[a-z]+', '1a2', true],
  ['~~', '^[a-z]{1,4}$', 'abcde', false],
  ['~~', '[a-z]', undefined, false],
  ['~~', '^2', 200, true],
  ['~~', 20, '1200', true],
  ['~~', 'a', ['a'], false],
  ['~~', '', '', true],
  ['~*', 'a', 'A', true],
  ['~*', 'A', 'a', true],
  ['~*', 'A', 'b', false],
  ['~*', 'A', '', false],
  ['in', ['1', '2'], '2', true],
  ['in', ['1', '2'], '3', false],
  ['in', ['1', '2'], undefined, false],
  ['in', [1, 2], '1', false],
  ['in', [1, 2], 1, true],
  ['in', ['200'], 200, true],
  ['in', [null], undefined, false],
  ['in', [], 'a', false],
  ['in', 'abc', 'abc', false],
  ['in', ['café'], 'caf\xc3\xa9', true],
  ['has', 'a', ['a', 'b'], true],
  ['has', 'a', ['b'], false],
  ['has', 'a', [], false],
  ['has', 'a', 'a', false],
  ['has', 'a', undefined, false],
  ['has', 1, ['1'], false],
  ['ipmatch', '127.0.0.1', '127.0.0.1', true],
  ['ipmatch', '127.0.0.0/16', '127.0.5.1', true],
  ['ipmatch', ['10.0.0.0/8', 'fd00::/8'], '10.1.2.3', true],
  ['ipmatch', ['10.0.0.0/8', 'fd00::/8'], 'fd12::1', true],
  ['ipmatch', ['10.0.0.0/8', 'fd00::/8'], '11.1.2.3', false],
  ['ipmatch', '10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['ipmatch', '10.0.0.0/8', 'not an address', false],
  ['ipmatch', '10.0.0.0/8', undefined, false],
  ['ipmatch', '10.0.0.0/8', 10, false],
  ['ipmatch', 'fe80::/10', 'fe80::1%eth0', true],
];

test('each operator compares as in lua-resty-expr, and ! turns its answer round', () => {
  for (const [operator, operand, value, holds] of TERMS) {
    const text = JSON.stringify([operator, operand, value]);
    assert.equal(evaluate([['x', operator, operand]], { x: value }), holds, text);
    assert.equal(evaluate([['x', operator.toUpperCase(), operand]], { x: value }), holds, text);
    assert.equal(evaluate([['x', '!', operator, operand]], { x: value }), !holds, `not ${text}`);
  }
});

test('a term without an operator is an equality, and one without an operand asks for absence', () => {
  assert.equal(evaluate([['x', 'v']], { x: 'v' }), true);
  assert.equal(evaluate([['x', 'V']], { x: 'v' }), false);
  assert.equal(evaluate([['x', 1]], { x: '1' }), true);
  assert.equal(evaluate([['x', '==']], {}), true);
  assert.equal(evaluate([['x', '~=']], { x: 'v' }), true);
  assert.equal(evaluate([['x', 'in']], { x: 'v' }), false);
});

test('lists are joined by AND, or by the word that they begin with, nested as one likes', () => {
  const yes = ['yes', '==', 'y'];
  const no = ['no', '==', 'y'];
  const cases: ReadonlyArray<readonly [rule: JsonValue, holds: boolean]> = [
    [[], true],
    [[yes], true],
    [[no], false],
    [[yes, no], false],
    [[yes, yes], true],
    [['AND', yes, no], false],
    [['and', yes, yes], true],
    [['OR', no, yes], true],
    [['or', no, no], false],
    [['!AND', yes, yes], false],
    [['!And', yes, no], true],
    [['!OR', no, no], true],
    [['!or', no, yes], false],
    [['OR', no, ['AND', yes, ['!OR', no, no]]], true],
    [['OR', no, [yes, no]], false],
    [[['OR', no, yes], yes], true],
    [[[[[yes]]]], true],
    [['!AND', [yes], [yes]], false],
  ];
  for (const [rule, holds] of cases) assert.equal(evaluate(rule, { yes: 'y', no: 'n' }), holds, JSON.stringify(rule));
});

test('a rule that cannot be read is invalid, in the words of lua-resty-expr', () => {
  const cases: ReadonlyArray<readonly [rule: JsonValue, message: string]> = [
    [['arg_k', '==', 'v'], 'rule should be wrapped inside brackets'],
    ['arg_k', 'rule should be wrapped inside brackets'],
    [null, 'rule should be wrapped inside brackets'],
    [{}, 'rule should be wrapped inside brackets'],
    [[1], 'rule should be wrapped inside brackets'],
    [[[]], 'rule too short'],
    [['OR', ['a', '==', '1']], 'rule too short'],
    [['OR', ['a', '>', 1], ['AND']], 'rule too short'],
    [[['a']], 'invalid expression'],
    [[['a', null]], 'invalid expression'],
    [[['a', null, 'b']], 'invalid expression'],
    [[[1, '==', 'b']], 'invalid expression'],
    [[['a', 1, 'b']], 'invalid expression'],
    [[['a', '==', 'b', 'c', 'd']], 'invalid expression'],
    [[['a', '==', 'b'], 'OR', ['c', '==', 'd']], 'invalid expression'],
    [[['!', 'a', '==', '1']], "bad 'not' expression"],
    [[['a', '=', 'v']], "invalid operator '='"],
    [[['a', 'INVALID', 10]], "invalid operator 'invalid'"],
    [[['a', '!', 'v']], "invalid operator '!'"],
    [[['a', '!', 'nope', 'v']], "invalid operator 'nope'"],
    [[['a', 'ipmatch']], 'invalid ip address'],
    [[['a', 'ipmatch', null]], 'invalid ip address'],
    [[['a', 'ipmatch', '']], 'invalid ip address'],
    [[['a', 'ipmatch', []]], 'invalid ip address'],
    [[['a', 'ipmatch', ['']]], 'invalid ip address: '],
    [[['a', 'ipmatch', ['10.0.0.1', '10.0.0.0/33']]], 'invalid ip address: 10.0.0.0/33'],
    [[['a', 'ipmatch', 1]], 'invalid ip address: 1'],
    [[['a', '~~', '(']], "invalid regular expression '(': missing closing parenthesis (at offset 0)"],
    [[['a', '~*', 'a(?=b)']], "invalid regular expression 'a(?=b)': look-around is not supported (at offset 1)"],
    [[['a', '~~', null]], 'invalid regular expression: it must be a text'],
  ];
  for (const [rule, message] of cases) assert.equal(messageOf(rule), message, JSON.stringify(rule));
});

test('depth and size are bounded', () => {
  const nested = (levels: number): JsonValue => (levels === 0 ? ['a', '==', 'b'] : [nested(levels - 1)]);
  assert.equal(compileExpression(nested(63)).kind, 'expression');
  assert.equal(messageOf(nested(64)), 'the expression is nested more than 64 levels deep');
  assert.equal(messageOf(nested(1000)), 'the expression is nested more than 64 levels deep');

  const many = (count: number): JsonValue => Array.from({ length: count }, () => ['a', '==', 'b']);
  assert.equal(compileExpression(many(10_000)).kind, 'expression');
  assert.equal(messageOf(many(10_001)), 'the expression has more than 10000 terms and list elements');
  const list = Array.from({ length: 10_001 }, (_, index) => String(index));
  assert.equal(messageOf([['a', 'in', list]]), 'the expression has more than 10000 terms and list elements');
  assert.equal(messageOf([['a', '!', 'ipmatch', list]]), 'the expression has more than 10000 terms and list elements');
});

test('the variables that a rule reads are known, each once', () => {
  const compiled = compileExpression([
    'OR',
    ['arg_a', '==', '1'],
    [
      ['http_b', '!', '~~', 'x'],
      ['arg_a', 'has', 'y'],
    ],
    ['arg_é', 'z'],
  ]);
  assert(compiled.kind === 'expression');
  assert.deepEqual(compiled.variables, ['arg_a', 'http_b', 'arg_\xc3\xa9']);
});

test('no variable is read once the answer is certain', () => {
  const read: string[] = [];
  const source = {
    variable: (name: string): VariableValue => {
      read.push(name);
      return name;
    },
  };
  const compiled = compileExpression([
    'OR',
    [
      ['a', 'b'],
      ['c', 'c'],
    ],
    ['d', 'd'],
    ['e', 'e'],
  ]);
  assert(compiled.kind === 'expression');
  assert.equal(compiled.test(source), true);
  assert.deepEqual(read, ['a', 'd']);
});
