import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** One import or re-export of another file of the project. */
export interface SourceImport {
  /** Path of the imported file from the scanned folder, with `/`. */
  readonly target: string;
  /** Nothing of it is left when the types are stripped. */
  readonly typeOnly: boolean;
}

/** One TypeScript file. */
export interface SourceFile {
  /** Path from the scanned folder, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly SourceImport[];
}

/** `import … from '…'` and `export … from '…'`, over several lines too. */
const FROM = /^(?:import|export)\s+(type\s)?([^'"`;]*?)\bfrom\s+'([^']+)'/gm;
/** `import '…'`, `import('…')`, and `new URL('…', import.meta.url)`, by which threads and processes are started. */
const BARE = /^import\s+'([^']+)'|\bimport\(\s*'([^']+)'|new URL\(\s*'([^']+)'\s*,\s*import\.meta\.url/gm;

/** All TypeScript files below a folder, with what they import of each other. */
export async function readSourceFiles(folder: string): Promise<readonly SourceFile[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts')).sort();
  return Promise.all(
    names.map(async (name) => sourceFile(name.split(path.sep).join('/'), await readFile(path.join(folder, name), 'utf8'))),
  );
}

/** A file by its text. Imports of packages are left out. */
export function sourceFile(filePath: string, text: string): SourceFile {
  const found: SourceImport[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    if (specifier.startsWith('.')) found.push({ target: path.posix.join(path.posix.dirname(filePath), specifier), typeOnly });
  };
  for (const [, type, names = '', specifier = ''] of text.matchAll(FROM)) add(specifier, type !== undefined || importsTypesOnly(names));
  for (const [, ...specifiers] of text.matchAll(BARE)) add(specifiers.find((specifier) => specifier !== undefined) ?? '', false);
  return { path: filePath, text, imports: found };
}

/** `{ type A, type B }` */
function importsTypesOnly(names: string): boolean {
  const list = /^\{([\s\S]*)\}\s*$/.exec(names.trim())?.[1];
  const parts = list?.split(',').map((part) => part.trim()) ?? [];
  return list !== undefined && parts.every((part) => part === '' || part.startsWith('type '));
}
