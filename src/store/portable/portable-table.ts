/** How the values of a column are written, whatever database they lie in: `labels` are a JSON object, `bytes` base64. */
export type PortableType = 'integer' | 'text' | 'bytes' | 'labels';

/** A value on its way from one store to another. */
export type PortableValue = string | number | null;

export type PortableRow = readonly PortableValue[];

export interface PortableColumn {
  readonly name: string;
  readonly type: PortableType;
}

/** A table as every store has it. */
export interface PortableTable {
  readonly name: string;
  readonly columns: readonly PortableColumn[];
}

/** How many rows a table has, and a digest of them in which their order does not count. */
export interface TableSummary {
  readonly rows: number;
  /** 64 hexadecimal digits. */
  readonly digest: string;
}

/** A store as a stream: each table, its rows in portions, and then what they add up to. Tables that others refer to come first. */
export type StorePart =
  /** `highestNumber` is the highest that the table ever gave, where it numbers its rows: none is used twice. */
  | { readonly kind: 'table'; readonly table: PortableTable; readonly highestNumber: number | undefined }
  | { readonly kind: 'rows'; readonly table: PortableTable; readonly rows: readonly PortableRow[] }
  | { readonly kind: 'end'; readonly table: PortableTable; readonly summary: TableSummary };

/**
 * What follows from the other tables, and is made anew when a store is opened (docs/decisions/0012); what each database says of itself; and
 * which control planes and gateways live at this moment, which is true of no copy.
 */
const LEFT_OUT: readonly string[] = [
  'schema_migrations',
  'lists_revisions',
  'resource_lists',
  'list_entries',
  'list_blocks',
  'listed_resources',
  'control_planes',
  'gateway_instances',
];

/** Whether a table goes along. One that is not known here does. */
export function isCarried(table: string): boolean {
  return !LEFT_OUT.includes(table);
}

const TYPES: ReadonlyMap<string, PortableType> = new Map([
  ['INTEGER', 'integer'],
  ['bigint', 'integer'],
  ['integer', 'integer'],
  ['TEXT', 'text'],
  ['text', 'text'],
  ['BLOB', 'bytes'],
  ['bytea', 'bytes'],
]);

/** Labels are a JSON object on SQLite and an array on PostgreSQL, so that each finds them by an index of its own. */
export function portableType(table: string, column: string, databaseType: string): PortableType {
  if (table === 'resources' && column === 'labels') return 'labels';
  const type = TYPES.get(databaseType);
  if (type === undefined) throw new Error(`the column ${table}.${column} has the type ${databaseType}, which cannot be carried over`);
  return type;
}

/** The names so that each comes after those it refers to, else in their own order. */
export function inOrderOfReference(names: readonly string[], references: readonly (readonly [from: string, to: string])[]): string[] {
  const ordered: string[] = [];
  const visit = (name: string, path: readonly string[]): void => {
    if (ordered.includes(name) || path.includes(name)) return;
    for (const [from, to] of references) if (from === name && to !== name && names.includes(to)) visit(to, [...path, name]);
    ordered.push(name);
  };
  for (const name of names) visit(name, []);
  return ordered;
}
