import type { FieldCipher } from '../field-cipher.ts';
import { type KeyColumns, keyOfRow, type ResourceRow, resourceOfRow } from '../rows/resource-rows.ts';
import type { ReadOptions, ResourceChange, StoreReader } from '../store.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { RESOURCE_COLUMNS } from './resource-columns.ts';
import { STANDING_COLUMNS, type StandingRow, standingOfRow, standingParameters } from './store-standing.ts';

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
  readonly connection: PostgresConnection;
  readonly cipher: FieldCipher;
  readonly options: ReadOptions & { readonly known?: string | undefined };
}

/** What `changesSince` promises, given a connection whose statements see one state. */
export async function listChanges(source: ChangeSource, groupId: string, since: number): ReturnType<StoreReader['changesSince']> {
  const { connection } = source;
  const group = await connection.get<{ revision: number; removals_kept_after: number } & StandingRow>(
    `SELECT revision, removals_kept_after, ${STANDING_COLUMNS} FROM gateway_groups WHERE id = $3`,
    ...[...standingParameters(source.options.known), groupId],
  );
  if (group === undefined || since > group.revision || since < group.removals_kept_after) return undefined;
  const placed = [...(await listPuts(source, groupId, since)), ...(await listRemovals(connection, groupId, since))];
  placed.sort((a, b) => a.revision - b.revision || a.position - b.position);
  const found = { revision: group.revision, changes: placed.map(({ change }) => change) };
  return source.options.known === undefined ? found : { ...found, standing: standingOfRow(group) };
}

async function listPuts({ connection, cipher, options }: ChangeSource, groupId: string, since: number): Promise<PlacedChange[]> {
  const rows = await connection.all<ResourceRow>(
    `SELECT ${RESOURCE_COLUMNS} FROM resources WHERE group_id = $1 AND revision > $2 ORDER BY revision, position`,
    groupId,
    since,
  );
  return rows.map((row) => ({
    revision: row.revision,
    position: row.position,
    change: { op: 'put', resource: resourceOfRow(row, cipher, options) },
  }));
}

async function listRemovals(connection: PostgresConnection, groupId: string, since: number): Promise<PlacedChange[]> {
  const rows = await connection.all<RemovalRow>(
    `SELECT group_id, kind, parent_id, id, revision, position FROM resource_removals
     WHERE group_id = $1 AND revision > $2 ORDER BY revision, position`,
    groupId,
    since,
  );
  return rows.map((row) => ({
    revision: row.revision,
    position: row.position,
    change: { op: 'delete', key: keyOfRow(row), revision: row.revision },
  }));
}
