import { StartError } from '../../errors/index.ts';
import type { PortableTable } from './portable-table.ts';

/** @throws StartError for a table or column that the target has no place for */
export function refuseUnknownColumns(known: readonly PortableTable[], table: PortableTable): void {
  const target = known.find(({ name }) => name === table.name);
  const missing = table.columns.find(({ name, type }) => !target?.columns.some((column) => column.name === name && column.type === type));
  if (target !== undefined && missing === undefined) return;
  const what = missing === undefined ? `the table ${table.name}` : `${table.name}.${missing.name}`;
  throw new StartError(`What is carried over has ${what}, which this version of Portcullis does not know: use the version that wrote it.`);
}

/** @throws Error when what was written is not what was to be written: nobody should go on with it */
export function refuseWrongTables(tables: readonly string[]): void {
  if (tables.length > 0) throw new Error(`what was written differs from what was read in ${tables.join(', ')}; nothing was kept`);
}
