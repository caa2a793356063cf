import type { StoreHistory } from '../store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** What `StoreHistory.pruneHistory` promises; call it inside a transaction. */
export function pruneHistory(database: SqliteDatabase, limits: Parameters<StoreHistory['pruneHistory']>[0]): number {
  return (
    pruneVersions(database, limits.versionsBefore, limits.limit) +
    pruneRemovals(database, limits.versionsBefore, limits.limit) +
    database.run(
      'DELETE FROM audit_entries WHERE number IN (SELECT number FROM audit_entries WHERE at < ? ORDER BY at LIMIT ?)',
      ...[limits.auditBefore, limits.limit],
    )
  );
}

function pruneVersions(database: SqliteDatabase, before: number, limit: number): number {
  return database.run(
    `DELETE FROM resource_versions WHERE number IN (
       SELECT number FROM resource_versions AS version WHERE at < ? AND NOT EXISTS (
         SELECT 1 FROM resources WHERE group_id = version.group_id AND kind = version.kind AND parent_id = version.parent_id
           AND id = version.id AND resources.revision = version.revision)
       ORDER BY at LIMIT ?)`,
    ...[before, limit],
  );
}

// A gateway that is further behind than the removals reach is told to take everything anew, or it would keep what was removed.
function pruneRemovals(database: SqliteDatabase, before: number, limit: number): number {
  const removed = database.all<{ group_id: string; revision: number }>(
    `DELETE FROM resource_removals WHERE (group_id, kind, parent_id, id) IN (
       SELECT group_id, kind, parent_id, id FROM resource_removals WHERE at < ? ORDER BY at LIMIT ?)
     RETURNING group_id, revision`,
    ...[before, limit],
  );
  for (const { group_id, revision } of removed) {
    database.run('UPDATE gateway_groups SET removals_kept_after = max(removals_kept_after, ?) WHERE id = ?', revision, group_id);
  }
  return removed.length;
}
