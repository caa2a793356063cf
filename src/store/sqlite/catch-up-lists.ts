import { type ListableRow, listingOf } from '../lists/resource-listing.ts';
import { type KeyColumns, keyOfRow } from '../rows/resource-rows.ts';
import { ListWriter } from './list-writer.ts';
import { LISTABLE_COLUMNS, rebuildLists } from './rebuild-lists.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

const ROWS_AT_ONCE = 500;

interface Revisions {
  readonly revision: number;
  readonly removals_kept_after: number;
  readonly listed: number | null;
}

/** Whether a group's lists are those of its revision. They are not where software has written that does not know of them. */
export function areListsCurrent(database: SqliteDatabase, groupId: string): boolean {
  const revisions = readRevisions(database, groupId);
  return revisions === undefined || revisions.listed === revisions.revision;
}

/** Brings a group's lists up to its revision, from its changes or, where those do not reach back far enough, anew. Call it inside a transaction. */
export function catchUpLists(database: SqliteDatabase, groupId: string): void {
  const revisions = readRevisions(database, groupId);
  if (revisions === undefined || revisions.listed === revisions.revision) return;
  const since = revisions.listed ?? 0;
  if (since === 0 || since > revisions.revision || since < revisions.removals_kept_after) rebuildLists(database, groupId);
  else {
    const writer = new ListWriter(database);
    unlistRemoved(database, writer, groupId, since);
    listWritten(database, writer, groupId, since);
    writer.settle();
  }
  markListed(database, groupId, revisions.revision);
}

/** Notes that a group's lists are those of a revision. */
export function markListed(database: SqliteDatabase, groupId: string, revision: number): void {
  database.run(
    'INSERT INTO lists_revisions (group_id, revision) VALUES (?, ?) ON CONFLICT (group_id) DO UPDATE SET revision = excluded.revision',
    ...[groupId, revision],
  );
}

function readRevisions(database: SqliteDatabase, groupId: string): Revisions | undefined {
  return database.get<Revisions>(
    `SELECT gateway_groups.revision, removals_kept_after, lists_revisions.revision AS listed
     FROM gateway_groups LEFT JOIN lists_revisions ON group_id = id WHERE id = ?`,
    groupId,
  );
}

function unlistRemoved(database: SqliteDatabase, writer: ListWriter, groupId: string, since: number): void {
  const removed = database.all<KeyColumns>(
    'SELECT group_id, kind, parent_id, id FROM resource_removals WHERE group_id = ? AND revision > ? ORDER BY revision, position',
    ...[groupId, since],
  );
  for (const row of removed) writer.unlist(keyOfRow(row));
}

function listWritten(database: SqliteDatabase, writer: ListWriter, groupId: string, since: number): void {
  let after = { revision: since, position: Number.MAX_SAFE_INTEGER };
  for (;;) {
    const rows = database.all<ListableRow>(
      `SELECT ${LISTABLE_COLUMNS} FROM resources WHERE group_id = ? AND (revision, position) > (?, ?) ORDER BY revision, position LIMIT ?`,
      ...[groupId, after.revision, after.position, ROWS_AT_ONCE],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    for (const row of rows) writer.list(listingOf(row));
    after = last;
  }
}
