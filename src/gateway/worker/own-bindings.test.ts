import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { withOwnBindings } from './own-bindings.ts';

const SOURCES = path.join(import.meta.dirname, '..', '..');

test('what is imported by name is copied into constants of the module, types are not', () => {
  assert.equal(
    withOwnBindings("import { hash } from 'node:crypto';\nimport { type A, B, C as D } from './b.ts';\nB(D);\n"),
    "import { hash as hash$imported } from 'node:crypto'; const hash = hash$imported;\n" +
      "import { type A, B as B$imported, C as D$imported } from './b.ts'; const B = B$imported, D = D$imported;\nB(D);\n",
  );
  assert.equal(
    withOwnBindings("import {\n  B,\n  type A,\n} from './b.ts';\n"),
    "import {\n  B as B$imported,\n  type A,\n} from './b.ts'; const B = B$imported;\n",
  );
});

test('what is exported is a constant of the module first, once however many signatures it has', () => {
  const source =
    'export function f(x: 1): 1;\nexport function f(x: 2): 2;\nexport const X = 1;\nexport abstract class Y {}\nexport async function* g() {}\n';
  const lines = withOwnBindings(source).split('\n');
  assert.equal(lines[0], '       function f(x: 1): 1;');
  assert.equal(lines[2], '       const X = 1;');
  assert.equal(lines[3], '       abstract class Y {}');
  assert.equal(lines[4], '       async function* g() {}');
  assert.ok(lines.includes('export { f$exported as f, X$exported as X, Y$exported as Y, g$exported as g };'));
});

test('all else stays as it is: types, namespaces, re-exports, lists with comments, modules that bind nothing', () => {
  for (const source of [
    "import type { A } from './a.ts';\n",
    "import { type A } from './a.ts';\n",
    "import * as a from './a.ts';\n",
    "import a from './a.ts';\n",
    "import './a.ts';\n",
    "import {\n  a, // with its reason\n} from './a.ts';\n",
    "import { a } from './a.json' with { type: 'json' };\n",
    "export { a } from './a.ts';\n",
    'export type A = 1;\nexport interface B {}\n',
    'const text = `\n  import { a } from x\n  export const b`;\n',
  ]) {
    assert.equal(withOwnBindings(source), source);
  }
});

test('lines stay where they are, and columns of what is declared', () => {
  const source = "import { a } from './a.ts';\n\nexport class B {\n  c(): never {\n    throw a;\n  }\n}\n";
  const own = withOwnBindings(source);
  for (const text of ['class B', 'throw a']) assert.deepEqual(placeOf(own, text), placeOf(source, text));
});

test('every module of the program has the form that this asks for', () => {
  const files = globSync('**/*.ts', { cwd: SOURCES }).filter((file) => !file.endsWith('.test.ts'));
  assert.ok(files.length > 500);
  for (const file of files) {
    const source = readFileSync(path.join(SOURCES, file), 'utf8');
    assert.doesNotMatch(source, /^export (?:let|var|default|\{[^}]*\};|\* )/m, file);
    const own = withOwnBindings(source);
    assert.doesNotMatch(own, /^export (?!type |interface |\{|const \{)/m, file);
    for (const [, list = ''] of own.matchAll(/^import \{([^}]*)\}/gm)) {
      for (const name of list.split(',')) assert.match(name.trim(), /^$|^type |\$imported$/, file);
    }
  }
});

function placeOf(source: string, text: string): { readonly line: number; readonly column: number } {
  const lines = source.split('\n');
  const line = lines.findIndex((candidate) => candidate.includes(text));
  return { line, column: lines[line]?.indexOf(text) ?? -1 };
}
