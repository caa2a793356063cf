import type { PostgresConnection } from './postgres-connection.ts';

/** A table of fewer rows, or one that was never looked at, is looked at. */
const FEW_ROWS = 500;

/**
 * Lets PostgreSQL look at tables that a transaction fills, where it knows them as empty or small. Of tables that it knows nothing of it
 * holds any two columns for enough to find a row, takes the index over groups and kinds for the one over names, and reads a whole kind for
 * each resource. Its own looking (autovacuum) comes after the transaction, and may be switched off.
 */
export async function refreshStatistics(connection: PostgresConnection): Promise<void> {
  const table = await connection.get<{ reltuples: number }>("SELECT reltuples FROM pg_class WHERE oid = to_regclass('resources')");
  if (table === undefined || table.reltuples >= FEW_ROWS) return;
  await connection.execute(
    `ANALYZE resources (group_id, kind, parent_id, id, owner_kind, owner_id, revision),
       resource_versions (group_id, kind, parent_id, id, revision, superseded_at), unique_values, resource_removals (group_id, kind, parent_id, id),
       listed_resources (group_id, kind, parent_id, id, resource_row), list_entries (list, sort, sort_key), list_blocks`,
  );
}
