/** A list with a comment is left as it is, too: words of the comment would be taken for names. */
const IMPORT = /^import \{([\w$\s,]*)\} from ('[^']+');/gm;
const IMPORTED = /(type\s+)?([A-Za-z_$][\w$]*)(?:\s+as\s+([A-Za-z_$][\w$]*))?/g;
const EXPORT = /^export (?=(?:abstract class|class|const|function\*?|async function\*?) ([A-Za-z_$][\w$]*))/gm;
/** As long as `export `, so that what stands behind it keeps its column in stacks. */
const NO_EXPORT = '       ';

/**
 * The same module with bindings of its own for all that it imports and exports by name, which compiled code takes for the constants that they
 * are: an imported or exported name is looked up in a cell at each use, since ECMAScript lets the exporting module change it. Lines, and columns of
 * what is not imported, stay where they are.
 *
 * `source`: TypeScript or JavaScript in this project's form: imports in front, no cycles among modules, no exported `let`, each import or export at the
 * start of a line. What has another form (namespaces, default exports, re-exports, types) is left as it is.
 */
export function withOwnBindings(source: string): string {
  const exported = new Set<string>();
  const body = source.replace(IMPORT, importedCopies).replace(EXPORT, (_, name: string) => {
    exported.add(name);
    return NO_EXPORT;
  });
  if (exported.size === 0) return body;
  const names = [...exported];
  const copies = names.map((name) => `${name}$exported = ${name}`).join(', ');
  return `${body}\nconst ${copies};\nexport { ${names.map((name) => `${name}$exported as ${name}`).join(', ')} };\n`;
}

function importedCopies(whole: string, list: string, from: string): string {
  const copies: string[] = [];
  const clause = list.replace(IMPORTED, (specifier: string, type: string | undefined, name: string, alias: string | undefined) => {
    if (type !== undefined) return specifier;
    const local = alias ?? name;
    copies.push(`${local} = ${local}$imported`);
    return `${name} as ${local}$imported`;
  });
  return copies.length === 0 ? whole : `import {${clause}} from ${from}; const ${copies.join(', ')};`;
}
