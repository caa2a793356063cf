import { PortcullisError } from '../../errors/index.ts';
import { catchUpLists, markListed } from './catch-up-lists.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

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
  readonly #database: SqliteDatabase;
  readonly #last = new Map<string, ChangePosition>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** @throws PortcullisError (`admin_not_found`) for an unknown group. */
  next(groupId: string): ChangePosition {
    const last = this.#last.get(groupId);
    const next = last === undefined ? { revision: this.#raise(groupId), position: 0 } : { ...last, position: last.position + 1 };
    this.#last.set(groupId, next);
    return next;
  }

  #raise(groupId: string): number {
    catchUpLists(this.#database, groupId);
    const group = this.#database.get<{ revision: number }>(
      'UPDATE gateway_groups SET revision = revision + 1 WHERE id = ? RETURNING revision',
      groupId,
    );
    if (group === undefined) throw new PortcullisError('admin_not_found', { publicMessage: 'gateway group not found' });
    markListed(this.#database, groupId, group.revision);
    return group.revision;
  }
}
