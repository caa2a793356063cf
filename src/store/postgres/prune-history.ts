import type { HistoryLimits } from '../history.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** The part of `StoreHistory.pruneHistory` that concerns resources; call it inside a transaction. */
export async function pruneVersionsAndRemovals(connection: PostgresConnection, limits: HistoryLimits): Promise<number> {
  const { versionsBefore, versionsBelow, limit } = limits;
  const byAge = await pruneVersions(connection, 'superseded_at < $1', versionsBefore, limit);
  const bySize =
    versionsBelow === undefined ? 0 : await pruneVersions(connection, 'superseded_at IS NOT NULL AND number < $1', versionsBelow, limit);
  return byAge + bySize + (await pruneRemovals(connection, versionsBefore, limit));
}

// In this order a version goes before the delete that ended it, so that nothing deleted seems to be in force in what is left.
async function pruneVersions(connection: PostgresConnection, condition: string, bound: number, limit: number): Promise<number> {
  return connection.run(
    `DELETE FROM resource_versions WHERE number IN (
       SELECT number FROM resource_versions WHERE ${condition} ORDER BY superseded_at, number LIMIT $2)`,
    ...[bound, limit],
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
