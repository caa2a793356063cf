import type { HistoryLimits } from '../history.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** The part of `StoreHistory.pruneHistory` that concerns resources; call it inside a transaction. */
export function pruneVersionsAndRemovals(database: SqliteDatabase, limits: HistoryLimits): number {
  const { versionsBefore, versionsBelow, limit } = limits;
  const byAge = pruneVersions(database, 'superseded_at < ?', versionsBefore, limit);
  const bySize =
    versionsBelow === undefined ? 0 : pruneVersions(database, 'superseded_at IS NOT NULL AND number < ?', versionsBelow, limit);
  return byAge + bySize + pruneRemovals(database, versionsBefore, limit);
}

// In this order a version goes before the delete that ended it, so that nothing deleted seems to be in force in what is left.
function pruneVersions(database: SqliteDatabase, condition: string, bound: number, limit: number): number {
  return database.run(
    `DELETE FROM resource_versions WHERE number IN (
       SELECT number FROM resource_versions WHERE ${condition} ORDER BY superseded_at, number LIMIT ?)`,
    ...[bound, limit],
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
