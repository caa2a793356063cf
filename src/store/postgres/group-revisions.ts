import { PortcullisError } from '../../errors/index.ts';
import { type GroupRow, groupOfRow } from '../rows/record-rows.ts';
import type { GatewayGroup } from '../store.ts';
import { listChanged } from './catch-up-lists.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** Where a write stands among all writes of its group. */
export interface ChangePosition {
  readonly revision: number;
  /** Counts the writes within the revision, from 0. */
  readonly position: number;
}

interface GroupState extends GroupRow {
  readonly removals_kept_after: number;
  /** At which revision its lists are; null before any. */
  readonly listed: number | null;
}

/**
 * Hands out the positions of one transaction's writes: one new revision for each group that it writes to. The group's lists are current
 * before, and who asked keeps them so. A group is read once; its new revision is written by `settle`.
 */
export class GroupRevisions {
  readonly #groups = new Map<string, GroupState | undefined>();
  readonly #last = new Map<string, ChangePosition>();
  readonly #unwritten = new Set<string>();

  /** The groups that have a new revision. */
  get raised(): readonly string[] {
    return [...this.#last.keys()];
  }

  /** Whether a revision is over: no write of this transaction belongs to it. */
  isPast(groupId: string, revision: number): boolean {
    return revision < (this.#last.get(groupId)?.revision ?? Number.POSITIVE_INFINITY);
  }

  /** Reads a group, unless it is known. */
  async load(connection: PostgresConnection, groupId: string): Promise<void> {
    if (this.#groups.has(groupId)) return;
    const group = await connection.get<GroupState>(
      `SELECT id, name, description, gateway_groups.revision, created_at, updated_at, removals_kept_after, lists_revisions.revision AS listed
       FROM gateway_groups LEFT JOIN lists_revisions ON group_id = id WHERE id = $1`,
      groupId,
    );
    this.#groups.set(groupId, group);
  }

  /** The group with the revision that this transaction gives it. */
  async group(connection: PostgresConnection, groupId: string): Promise<GatewayGroup | undefined> {
    await this.load(connection, groupId);
    const group = this.#groups.get(groupId);
    return group && groupOfRow({ ...group, revision: this.#last.get(groupId)?.revision ?? group.revision });
  }

  /** @throws PortcullisError (`admin_not_found`) for an unknown group. */
  async next(connection: PostgresConnection, groupId: string): Promise<ChangePosition> {
    const last = this.#last.get(groupId);
    const next =
      last === undefined ? { revision: await this.#raise(connection, groupId), position: 0 } : { ...last, position: last.position + 1 };
    this.#last.set(groupId, next);
    return next;
  }

  /** Writes the new revisions that the database does not have yet. */
  async settle(connection: PostgresConnection): Promise<void> {
    const groupIds = [...this.#unwritten];
    this.#unwritten.clear();
    if (groupIds.length === 0) return;
    await connection.run(
      `WITH raised AS (SELECT * FROM unnest($1::text[], $2::bigint[]) AS raised (id, revision)),
       marked AS (
         INSERT INTO lists_revisions (group_id, revision) SELECT id, revision FROM raised
         ON CONFLICT (group_id) DO UPDATE SET revision = excluded.revision)
       UPDATE gateway_groups SET revision = raised.revision FROM raised WHERE gateway_groups.id = raised.id COLLATE "C"`,
      groupIds,
      groupIds.map((groupId) => String(this.#last.get(groupId)?.revision ?? 0)),
    );
  }

  /** Groups are read anew: something else than their revisions was written. */
  forget(): void {
    this.#groups.clear();
  }

  async #raise(connection: PostgresConnection, groupId: string): Promise<number> {
    await this.load(connection, groupId);
    const group = this.#groups.get(groupId);
    if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
    if (group.listed !== group.revision) await listChanged(connection, groupId, group);
    this.#unwritten.add(groupId);
    return group.revision + 1;
  }
}
