import { type ListableRow, listingOf } from '../lists/resource-listing.ts';
import { type KeyColumns, keyOfRow } from '../rows/resource-rows.ts';
import { ListWriter } from './list-writer.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { LISTABLE_COLUMNS, rebuildLists } from './rebuild-lists.ts';

const ROWS_AT_ONCE = 500;

/** Where a group and its lists are. */
interface Revisions {
  readonly revision: number;
  readonly removals_kept_after: number;
  readonly listed: number | null;
}

/** Whether a group's lists are those of its revision. They are not where software has written that does not know of them. */
export async function areListsCurrent(connection: PostgresConnection, groupId: string): Promise<boolean> {
  const revisions = await readRevisions(connection, groupId);
  return revisions === undefined || revisions.listed === revisions.revision;
}

/** Brings a group's lists up to its revision. Call it inside a transaction that has the write lock. */
export async function catchUpLists(connection: PostgresConnection, groupId: string): Promise<void> {
  const revisions = await readRevisions(connection, groupId);
  if (revisions === undefined || revisions.listed === revisions.revision) return;
  await listChanged(connection, groupId, revisions);
  await connection.run(
    `INSERT INTO lists_revisions (group_id, revision) VALUES ($1, $2) ON CONFLICT (group_id) DO UPDATE SET revision = excluded.revision`,
    ...[groupId, revisions.revision],
  );
}

/** Gives lists the state of what the group holds now: from its changes or, where those do not reach back far enough, anew. */
export async function listChanged(connection: PostgresConnection, groupId: string, revisions: Revisions): Promise<void> {
  const since = revisions.listed ?? 0;
  if (since === 0 || since > revisions.revision || since < revisions.removals_kept_after) return rebuildLists(connection, groupId);
  const writer = new ListWriter();
  const removed = await connection.all<KeyColumns>(
    'SELECT group_id, kind, parent_id, id FROM resource_removals WHERE group_id = $1 AND revision > $2',
    ...[groupId, since],
  );
  for (const row of removed) await writer.unlist(connection, keyOfRow(row));
  for (let after = { revision: since, position: LAST_POSITION }; ; ) {
    const rows = await connection.all<ListableRow>(
      `SELECT ${LISTABLE_COLUMNS} FROM resources WHERE group_id = $1 AND (revision, position) > ($2, $3)
       ORDER BY revision, position LIMIT $4`,
      ...[groupId, after.revision, after.position, ROWS_AT_ONCE],
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    for (const row of rows) await writer.list(connection, listingOf(row));
    after = last;
  }
  await writer.settle(connection);
}

/** The largest integer of the column. */
const LAST_POSITION = 2 ** 31 - 1;

function readRevisions(connection: PostgresConnection, groupId: string): Promise<Revisions | undefined> {
  return connection.get<Revisions>(
    `SELECT gateway_groups.revision, removals_kept_after, lists_revisions.revision AS listed
     FROM gateway_groups LEFT JOIN lists_revisions ON group_id = id WHERE id = $1`,
    groupId,
  );
}
