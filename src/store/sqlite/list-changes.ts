import type { FieldCipher } from '../field-cipher.ts';
import { type KeyColumns, keyOfRow, type ResourceRow, resourceOfRow } from '../rows/resource-rows.ts';
import type { ReadOptions, ResourceChange } from '../store.ts';
import { RESOURCE_COLUMNS } from './resource-columns.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

interface RemovalRow extends KeyColumns {
  readonly revision: number;
  readonly position: number;
}

interface PlacedChange {
  readonly revision: number;
  readonly position: number;
  readonly change: ResourceChange;
}

/** Where changes are read from, and with which secrets. */
interface ChangeSource {
  readonly database: SqliteDatabase;
  readonly cipher: FieldCipher;
  readonly options: ReadOptions;
}

/** What `changesSince` promises. Call it inside a transaction, so that its statements see one state. */
export function listChanges(
  source: ChangeSource,
  groupId: string,
  since: number,
): { readonly revision: number; readonly changes: readonly ResourceChange[] } | undefined {
  const { database } = source;
  const group = database.get<{ revision: number; removals_kept_after: number }>(
    'SELECT revision, removals_kept_after FROM gateway_groups WHERE id = ?',
    groupId,
  );
  if (group === undefined || since > group.revision || since < group.removals_kept_after) return undefined;
  const placed = [...listPuts(source, groupId, since), ...listRemovals(database, groupId, since)];
  placed.sort((a, b) => a.revision - b.revision || a.position - b.position);
  return { revision: group.revision, changes: placed.map(({ change }) => change) };
}

function listPuts({ database, cipher, options }: ChangeSource, groupId: string, since: number): PlacedChange[] {
  return database
    .all<ResourceRow>(
      `SELECT ${RESOURCE_COLUMNS} FROM resources WHERE group_id = ? AND revision > ? ORDER BY revision, position`,
      groupId,
      since,
    )
    .map((row) => ({
      revision: row.revision,
      position: row.position,
      change: { op: 'put', resource: resourceOfRow(row, cipher, options) },
    }));
}

function listRemovals(database: SqliteDatabase, groupId: string, since: number): PlacedChange[] {
  return database
    .all<RemovalRow>(
      `SELECT group_id, kind, parent_id, id, revision, position FROM resource_removals
       WHERE group_id = ? AND revision > ? ORDER BY revision, position`,
      groupId,
      since,
    )
    .map((row) => ({
      revision: row.revision,
      position: row.position,
      change: { op: 'delete', key: keyOfRow(row), revision: row.revision },
    }));
}
