import type { StoreHistory } from '../store.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** What `StoreHistory.pruneHistory` promises; call it inside a transaction. */
export async function pruneHistory(connection: PostgresConnection, limits: Parameters<StoreHistory['pruneHistory']>[0]): Promise<number> {
  const versions = await pruneVersions(connection, limits.versionsBefore, limits.limit);
  const removals = await pruneRemovals(connection, limits.versionsBefore, limits.limit);
  const entries = await connection.run(
    'DELETE FROM audit_entries WHERE number IN (SELECT number FROM audit_entries WHERE at < $1 ORDER BY at LIMIT $2)',
    ...[limits.auditBefore, limits.limit],
  );
  return versions + removals + entries;
}

async function pruneVersions(connection: PostgresConnection, before: number, limit: number): Promise<number> {
  return connection.run(
    `DELETE FROM resource_versions WHERE number IN (
       SELECT number FROM resource_versions AS version WHERE at < $1 AND NOT EXISTS (
         SELECT 1 FROM resources WHERE group_id = version.group_id AND kind = version.kind AND parent_id = version.parent_id
           AND id = version.id AND resources.revision = version.revision)
       ORDER BY at LIMIT $2)`,
    ...[before, limit],
  );
}

// A gateway that is further behind than the removals reach is told to take everything anew, or it would keep what was removed.
async function pruneRemovals(connection: PostgresConnection, before: number, limit: number): Promise<number> {
  const removed = await connection.all<{ group_id: string; revision: number }>(
    `DELETE FROM resource_removals WHERE (group_id, kind, parent_id, id) IN (
       SELECT group_id, kind, parent_id, id FROM resource_removals WHERE at < $1 ORDER BY at LIMIT $2)
     RETURNING group_id, revision`,
    ...[before, limit],
  );
  const newest = new Map<string, number>();
  for (const { group_id, revision } of removed) newest.set(group_id, Math.max(revision, newest.get(group_id) ?? 0));
  for (const [groupId, revision] of newest) {
    await connection.run(
      'UPDATE gateway_groups SET removals_kept_after = greatest(removals_kept_after, $1) WHERE id = $2',
      ...[revision, groupId],
    );
  }
  return removed.length;
}
