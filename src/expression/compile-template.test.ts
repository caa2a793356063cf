// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates with braces are what is tested here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileTemplate } from './compile-template.ts';
import type { VariableValue } from './variable-source.ts';

const VALUES: ReadonlyMap<string, VariableValue> = new Map<string, VariableValue>([
  ['uri', '/a b'],
  ['status', 200],
  ['empty', ''],
  ['list', ['x', 'y']],
  ['a.b', 'dotted'],
  ['arg_x', '$uri'],
]);
const SOURCE = { variable: (name: string): VariableValue => VALUES.get(name) };

function expand(text: string): readonly [text: string, resolved: number] {
  const expanded = compileTemplate(text).expand(SOURCE);
  return [expanded.text, expanded.resolved];
}

test('variables are filled in, unknown ones are empty, defaults count as values', () => {
  const cases: ReadonlyArray<readonly [template: string, text: string, resolved: number]> = [
    ['', '', 0],
    ['plain', 'plain', 0],
    ['$uri', '/a b', 1],
    ['<$uri>', '</a b>', 1],
    ['${uri}', '/a b', 1],
    ['${ uri }x', '/a bx', 1],
    ['$status-$uri', '200-/a b', 2],
    ['$unknown', '', 0],
    ['[$unknown]', '[]', 0],
    ['$empty', '', 1],
    ['${unknown ?? none}', 'none', 1],
    ['${unknown??none}', 'none', 1],
    ['${unknown ?? }', '', 1],
    ['${unknown ?? a b ?? c}', 'a b', 1],
    ['${uri ?? none}', '/a b', 1],
    ['${empty ?? none}', '', 1],
    ['$list', 'x,y', 1],
    ['$a.b', 'dotted', 1],
    ['$uri.', '', 0],
    ['${uri}.', '/a b.', 1],
    ['$uri/x', '/a b/x', 1],
    ['$$uri', '$/a b', 1],
    ['\\$uri', '\\$uri', 0],
    ['\\${uri}', '\\${uri}', 0],
    ['\\\\$uri', '\\\\$uri', 0],
    ['cost: 5$', 'cost: 5$', 0],
    ['$ {uri}', '$ {uri}', 0],
    ['${}', '${}', 0],
    ['${ }', '', 0],
    ['${uri', '${uri', 0],
    ['${uri ${status}', '', 0],
    ['$uri}${', '/a b}${', 1],
    ['$1', '', 0],
    ['$arg_x', '$uri', 1],
    ['é$uri', '\xc3\xa9/a b', 1],
    ['${unknown ?? à}', '\xc3\xa0', 1],
  ];
  for (const [template, text, resolved] of cases) assert.deepEqual(expand(template), [text, resolved], template);
});

test('values and defaults are escaped as asked, the text of the template is not', () => {
  const template = compileTemplate('?$uri?${unknown ?? a b}');
  assert.equal(template.expand(SOURCE, (value) => value.replaceAll(' ', '%20')).text, '?/a%20b?a%20b');
  assert.equal(template.expand(SOURCE).text, '?/a b?a b');
});

test('captures are filled in only when asked for, and what they hold is not read again', () => {
  const captures = ['/x/y', '$uri', undefined];
  const expandCaptures = (text: string): readonly [string, number] => {
    const expanded = compileTemplate(text, { captures: true }).expand(SOURCE, undefined, captures);
    return [expanded.text, expanded.resolved];
  };
  assert.deepEqual(expandCaptures('$1-$2-$3-$0'), ['$uri---/x/y', 0]);
  assert.deepEqual(expandCaptures('${1}0 $1abc $status'), ['$uri0 $uriabc 200', 1]);
  assert.deepEqual(expandCaptures('\\$1'), ['\\$1', 0]);
  assert.deepEqual(expandCaptures('${unknown ?? $1}'), ['$1', 1]);
  assert.deepEqual(expandCaptures('{$1}${1'), ['{$uri}${1', 0]);
  assert.equal(compileTemplate('$1', { captures: true }).expand(SOURCE).text, '');
});

test('a template knows its variables and whether it is constant', () => {
  const template = compileTemplate('$uri ${status ?? 0} $uri ${é}');
  assert.equal(template.isConstant, false);
  assert.deepEqual(template.variables, ['uri', 'status', '\xc3\xa9']);
  const constant = compileTemplate('\\$uri and é');
  assert.equal(constant.isConstant, true);
  assert.deepEqual(constant.variables, []);
  assert.deepEqual(constant.expand(SOURCE), { text: '\\$uri and \xc3\xa9', resolved: 0 });
  assert.equal(compileTemplate('$1', { captures: true }).isConstant, false);
});

test('a template is filled as by one substitution over its text, whatever it is made of', () => {
  const piece = fc.constantFrom('$', '{', '}', '\\', 'uri', 'status', 'nope', '??', ' ', '.', '-', '$uri', '${status}', '${nope ?? d}');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      let resolved = 0;
      const expected = text.replaceAll(/(?<!\\)\$(?:\{([^}]+)\}|([\w.]+))/g, (_, braced?: string, plain?: string) => {
        const [name = '', fallback] = (braced ?? plain ?? '').split('??').map((part) => part.trim());
        const value = VALUES.get(name) ?? fallback;
        if (value !== undefined) resolved += 1;
        return String(value ?? '');
      });
      assert.deepEqual(expand(text), [expected, resolved]);
    }),
    { numRuns: 3000 },
  );
});
