import { PortcullisError } from '../../errors/index.ts';
import { listChanged } from './catch-up-lists.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** Where a write stands among all writes of its group. */
export interface ChangePosition {
  readonly revision: number;
  /** Counts the writes within the revision, from 0. */
  readonly position: number;
}

/**
 * Hands out the positions of one transaction's writes: one new revision for each group that it writes to. The group's lists are current
 * before, and who asked keeps them so.
 */
export class GroupRevisions {
  readonly #last = new Map<string, ChangePosition>();

  /** The groups that have a new revision. */
  get raised(): readonly string[] {
    return [...this.#last.keys()];
  }

  /** @throws PortcullisError (`admin_not_found`) for an unknown group. */
  async next(connection: PostgresConnection, groupId: string): Promise<ChangePosition> {
    const last = this.#last.get(groupId);
    const next =
      last === undefined ? { revision: await raise(connection, groupId), position: 0 } : { ...last, position: last.position + 1 };
    this.#last.set(groupId, next);
    return next;
  }
}

async function raise(connection: PostgresConnection, groupId: string): Promise<number> {
  const group = await connection.get<{ revision: number; removals_kept_after: number; listed: number }>(
    `WITH raised AS (UPDATE gateway_groups SET revision = revision + 1 WHERE id = $1 RETURNING revision, removals_kept_after),
     marked AS (
       INSERT INTO lists_revisions (group_id, revision) SELECT $1, revision FROM raised
       ON CONFLICT (group_id) DO UPDATE SET revision = excluded.revision)
     SELECT raised.revision, removals_kept_after, coalesce(before.revision, 0) AS listed
     FROM raised LEFT JOIN lists_revisions AS before ON before.group_id = $1`,
    groupId,
  );
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  const former = group.revision - 1;
  if (group.listed !== former) await listChanged(connection, groupId, { ...group, revision: former });
  return group.revision;
}
