import path from 'node:path';
import type { SourceFile, SourceImport } from './source-files.ts';

/** Which folder below `src/` may import which others: data flows one way. `types` lets the types through and no code. */
export const ALLOWED_IMPORTS: ReadonlyMap<string, ReadonlyMap<string, 'code' | 'types'>> = new Map(
  Object.entries({
    lib: '',
    errors: 'lib',
    schema: 'lib errors',
    expression: 'lib errors schema',
    'plugin-kit': 'lib errors schema expression',
    plugins: 'lib errors schema expression plugin-kit',
    observability: 'lib errors',
    engine: 'lib errors',
    'demo-upstream': 'lib',
    supervisor: 'lib errors observability',
    store: 'lib errors schema',
    distribution: 'lib errors schema store:types observability',
    'control-plane': 'lib errors schema store distribution observability plugin-kit plugins',
    gateway: 'lib errors schema expression plugin-kit plugins engine distribution observability',
    cli: 'lib errors schema expression plugin-kit plugins engine store distribution control-plane gateway observability supervisor demo-upstream',
  }).map(([folder, words]) => [folder, new Map(words.split(' ').filter(Boolean).map(permission))]),
);

function permission(word: string): readonly [string, 'code' | 'types'] {
  const [folder = '', limit] = word.split(':');
  return [folder, limit === 'types' ? 'types' : 'code'];
}

/** Files of a folder, besides its `index.ts`, that other folders may import: seams, and a folder's side for one plane alone. */
const FACES: ReadonlyMap<string, readonly string[]> = new Map([
  ['schema', ['snapshot.ts']],
  ['store', ['instance-registry.ts', 'store-standing.ts', 'store.ts']],
  ['observability', ['logger.ts', 'worker-side.ts']],
  ['distribution', ['control-plane-side.ts', 'gateway-side.ts', 'snapshot-key.ts']],
  ['plugin-kit', ['testing/index.ts']],
  ['plugins', ['schemas.ts']],
]);

/** Where a folder sees only one face of another: validating a configuration never loads the code that serves requests. */
const ONLY_FACE: ReadonlyMap<string, string> = new Map([['control-plane plugins', 'plugins/schemas.ts']]);

const MAX_LINES = 400;
const FORBIDDEN_WORDS = /^(?:utils?|helpers?|common|managers?|.*-(?:utils?|helpers?|common|managers?))$/;
const FILE_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:test|contract|child))?\.ts$/;
const FOLDER_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** One sentence for each way in which the files break a rule of the architecture; none when they keep all. */
export function findViolations(files: readonly SourceFile[]): readonly string[] {
  return [...files.flatMap((file) => [...checkName(file), ...checkText(file), ...checkImports(file)]), ...findCycles(files)];
}

/** What the folders import of each other, a line each. */
export function drawFolders(files: readonly SourceFile[]): string {
  const edges = new Map<string, Set<string>>();
  for (const file of files) {
    const from = folderOf(file.path);
    if (from === '') continue;
    const targets = edges.get(from) ?? new Set();
    edges.set(from, targets);
    for (const { target } of file.imports) if (folderOf(target) !== from && !target.startsWith('../')) targets.add(folderOf(target));
  }
  return [...edges].map(([from, targets]) => `${from} -> ${[...targets].sort().join(', ')}`).join('\n');
}

/** The lint rules that say the same as `ALLOWED_IMPORTS` while one writes, in the form of Biome's `overrides`. */
export function lintOverrides(): readonly unknown[] {
  return [...ALLOWED_IMPORTS].flatMap(([folder, allowed]) => {
    const forbidden = [...ALLOWED_IMPORTS.keys()].filter((other) => other !== folder && !allowed.has(other));
    if (forbidden.length === 0) return [];
    const pattern = {
      group: forbidden.map((other) => `**/${other}/**`),
      message: `src/${folder} must not know of this folder: see ARCHITECTURE.md.`,
    };
    const rule = { level: 'error', options: { patterns: [pattern] } };
    return [{ includes: [`src/${folder}/**`], linter: { rules: { style: { noRestrictedImports: rule } } } }];
  });
}

function checkName(file: SourceFile): readonly string[] {
  const folders = file.path.split('/').slice(0, -1);
  const name = path.posix.basename(file.path);
  const found: string[] = [];
  if (!FILE_NAME.test(name) || !folders.every((folder) => FOLDER_NAME.test(folder))) found.push(`${file.path} is not named in kebab-case`);
  if ([...folders, name.replace(/\..*$/, '')].some((word) => FORBIDDEN_WORDS.test(word)))
    found.push(`${file.path} has a name that says nothing`);
  return found;
}

function checkText(file: SourceFile): readonly string[] {
  const found: string[] = [];
  if (/^export default\b|^export \{[^}]*\bas default\b/m.test(file.text)) found.push(`${file.path} has a default export`);
  if (/^export \*/m.test(file.text)) found.push(`${file.path} exports all names of another file instead of listing them`);
  const lines = file.text.split('\n').length - 1;
  if (lines > MAX_LINES && !/^\/[/*]+ *Longer than most files:/.test(file.text)) {
    found.push(`${file.path} has ${lines} lines and does not begin with the comment "Longer than most files: …" and a reason`);
  }
  return found;
}

function checkImports(file: SourceFile): readonly string[] {
  return file.imports.map((imported) => checkImport(file, imported)).filter((sentence) => sentence !== undefined);
}

function checkImport(file: SourceFile, imported: SourceImport): string | undefined {
  const { target, typeOnly } = imported;
  const sentence = `${file.path} imports ${target}`;
  if (isTestCode(target) && !isTestCode(file.path)) return `${sentence}, which is for tests`;
  if (target.startsWith('../bench/')) return `${sentence}, which is for measuring`;
  const from = folderOf(file.path);
  const to = folderOf(target);
  // Tests at the top of the tree, and what lies outside of it, belong to no folder.
  if (from === to || from === '' || target.startsWith('../')) return undefined;
  const allowed = ALLOWED_IMPORTS.get(from)?.get(to);
  if (allowed === undefined) return `${sentence}, but ${from} must not know of ${to}`;
  if (allowed === 'types' && !typeOnly) return `${sentence}, but ${from} may use only types of ${to}`;
  const only = ONLY_FACE.get(`${from} ${to}`);
  if (only !== undefined && target !== only) return `${sentence}, but ${from} may see only ${only}`;
  const faces = ['index.ts', ...(FACES.get(to) ?? [])];
  if (to !== 'lib' && !faces.includes(target.slice(to.length + 1))) return `${sentence}, which is not a public face of ${to}`;
  return undefined;
}

/** Imports that go round in a circle at run time; types may refer to each other. */
function findCycles(files: readonly SourceFile[]): readonly string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const finished = new Set<string>();
  const trail: string[] = [];
  const found: string[] = [];
  const visit = (filePath: string): void => {
    if (trail.includes(filePath)) found.push(`imports go in a circle: ${[...trail.slice(trail.indexOf(filePath)), filePath].join(' -> ')}`);
    if (finished.has(filePath) || trail.includes(filePath)) return;
    trail.push(filePath);
    for (const { target, typeOnly } of byPath.get(filePath)?.imports ?? []) if (!typeOnly && byPath.has(target)) visit(target);
    trail.pop();
    finished.add(filePath);
  };
  for (const file of files) visit(file.path);
  return found;
}

function isTestCode(filePath: string): boolean {
  return /\.(?:test|contract|child)\.ts$|(?:^|\/)(?:test-support|testing|testdata|contract)\//.test(filePath);
}

/** The folder below `src/`, or nothing for a file at its top. */
function folderOf(filePath: string): string {
  return filePath.includes('/') ? (filePath.split('/')[0] ?? '') : '';
}
