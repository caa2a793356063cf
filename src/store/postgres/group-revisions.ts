import { PortcullisError } from '../../errors/index.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** Where a write stands among all writes of its group. */
export interface ChangePosition {
  readonly revision: number;
  /** Counts the writes within the revision, from 0. */
  readonly position: number;
}

/** Hands out the positions of one transaction's writes: one new revision for each group that it writes to. */
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
  const group = await connection.get<{ revision: number }>(
    'UPDATE gateway_groups SET revision = revision + 1 WHERE id = $1 RETURNING revision',
    groupId,
  );
  if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
  return group.revision;
}
