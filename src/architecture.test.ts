import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { ALLOWED_IMPORTS, drawFolders, findViolations, lintOverrides } from '../test-support/architecture-rules.ts';
import { readSourceFiles, sourceFile } from '../test-support/source-files.ts';

const sources = await readSourceFiles(import.meta.dirname);

test('the tree keeps the rules of the architecture', () => {
  const violations = findViolations(sources);
  assert.ok(violations.length === 0, `${violations.join('\n')}\n\nThe folders import:\n${drawFolders(sources)}`);
});

test('the rules speak of every folder that there is', () => {
  const folders = new Set(sources.filter((file) => file.path.includes('/')).map((file) => file.path.split('/')[0]));
  for (const folder of folders) assert.ok(ALLOWED_IMPORTS.has(folder ?? ''), `src/${folder} has no row`);
});

test('the linter knows the same directions', async () => {
  const lintFile = path.join(import.meta.dirname, '..', 'biome.json');
  const overrides: readonly { readonly includes: readonly string[] }[] = JSON.parse(await readFile(lintFile, 'utf8')).overrides;
  assert.deepEqual(
    overrides.filter(({ includes }) => includes[0]?.startsWith('src/')),
    lintOverrides(),
  );
});

const BROKEN: readonly (readonly [rule: string, files: Readonly<Record<string, string>>, sentence: RegExp])[] = [
  ['an import against the direction', { 'lib/a.ts': "import { b } from '../schema/index.ts';" }, /lib must not know of schema/],
  [
    'one plane that knows the other',
    { 'gateway/a/b.ts': "import type { C } from '../../control-plane/index.ts';" },
    /gateway must not know of control-plane/,
  ],
  ['an engine that knows plugins', { 'engine/a.ts': "export { b } from '../plugin-kit/index.ts';" }, /engine must not know of plugin-kit/],
  [
    'an import over several lines',
    { 'store/a.ts': "import {\n  b,\n  type C,\n} from '../gateway/index.ts';" },
    /store must not know of gateway/,
  ],
  ['an import at run time', { 'store/a.ts': "const b = await import('../gateway/index.ts');" }, /store must not know of gateway/],
  [
    'a thread of another folder',
    { 'store/a.ts': "new Worker(new URL('../gateway/w.ts', import.meta.url));" },
    /store must not know of gateway/,
  ],
  ['a folder without a row', { 'novelty/a.ts': "import { b } from '../lib/b.ts';" }, /novelty must not know of lib/],
  [
    'code of a plugin in the control plane',
    { 'control-plane/a.ts': "import { b } from '../plugins/index.ts';" },
    /may see only plugins\/schemas\.ts/,
  ],
  [
    'code of the store in the distribution',
    { 'distribution/a.ts': "import { type A, b } from '../store/index.ts';" },
    /only types of store/,
  ],
  ['the inside of another folder', { 'gateway/a.ts': "import { b } from '../engine/parser/b.ts';" }, /not a public face of engine/],
  ['test code in the product', { 'lib/a.ts': "import { b } from '../../test-support/b.ts';" }, /which is for tests/],
  ['measuring code in the product', { 'lib/a.ts': "import { b } from '../../bench/b.ts';" }, /which is for measuring/],
  [
    'a circle',
    { 'lib/a.ts': "import { b } from './b.ts';", 'lib/b.ts': "import { a } from './a.ts';" },
    /lib\/a\.ts -> lib\/b\.ts -> lib\/a\.ts/,
  ],
  ['a default export', { 'lib/a.ts': 'export default 1;' }, /default export/],
  ['a default export by another name', { 'lib/a.ts': 'const a = 1;\nexport { a as default };' }, /default export/],
  ['a face that lists no names', { 'lib/a.ts': "export * from './b.ts';" }, /instead of listing them/],
  ['a name that says nothing', { 'lib/string-utils.ts': '' }, /says nothing/],
  ['a folder that says nothing', { 'lib/helpers/a.ts': '' }, /says nothing/],
  ['a name that is not kebab-case', { 'lib/stringThing.ts': '' }, /kebab-case/],
  ['a long file', { 'lib/a.ts': '// A reason of another kind.\n'.repeat(401) }, /has 401 lines/],
];

for (const [rule, files, sentence] of BROKEN) {
  test(`${rule} is found`, () => {
    const violations = findViolations(Object.entries(files).map(([name, text]) => sourceFile(name, text)));
    assert.equal(violations.length, 1, violations.join('\n'));
    assert.match(violations[0] ?? '', sentence);
  });
}

test('what the rules allow is not found', () => {
  const allowed = {
    'lib/a.ts': "import type { B } from './b.ts';",
    'lib/b.ts': "import { a } from './a.ts';\nimport fs from 'node:fs';",
    'distribution/a.ts': "import { type A, type B } from '../store/store.ts';",
    'control-plane/a.ts': "import { b } from '../plugins/schemas.ts';",
    'gateway/a.test.ts': "import { b } from '../../test-support/b.ts';\nimport { c } from './testing/c.ts';",
    'engine/long.ts': `// Longer than most files: one state machine.\n${'\n'.repeat(500)}`,
  };
  assert.deepEqual(findViolations(Object.entries(allowed).map(([name, text]) => sourceFile(name, text))), []);
});
