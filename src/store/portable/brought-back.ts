import { isSharedSpace } from '../rows/shared-values.ts';
import type { SqlRunner } from './sql-runner.ts';

/** What a restore makes valid that no longer was: each as a person names it. */
export interface BroughtBack {
  /** e.g. `credential jack/c1 in default`. */
  readonly credentials: readonly string[];
  readonly tokens: readonly string[];
  readonly users: readonly string[];
}

interface HolderRow {
  readonly group_id: string;
  readonly kind: string;
  readonly parent_id: string;
  readonly id: string;
  readonly space: string;
}

/** Compares the restored store with the one that it replaces: keys, tokens and users that were removed or revoked since the backup. */
export async function broughtBack(sql: SqlRunner, replaced: string): Promise<BroughtBack> {
  const holders = await sql.all<HolderRow>(
    `SELECT holder.group_id, holder.kind, holder.parent_id, holder.id, come.space
     FROM unique_values AS come JOIN resources AS holder ON holder.row = come.resource_row
     WHERE NOT EXISTS (SELECT 1 FROM ${replaced}.unique_values AS gone
       WHERE gone.group_id = come.group_id AND gone.space = come.space AND gone.digest = come.digest)
     ORDER BY holder.group_id, holder.kind, holder.parent_id, holder.id`,
  );
  const tokens = await sql.all<{ id: string; name: string }>(
    `SELECT come.id, come.name FROM tokens AS come LEFT JOIN ${replaced}.tokens AS gone ON gone.id = come.id
     WHERE come.revoked_at IS NULL AND (gone.id IS NULL OR gone.revoked_at IS NOT NULL) ORDER BY come.id`,
  );
  const users = await sql.all<{ id: string; username: string }>(
    `SELECT come.id, come.username FROM users AS come WHERE come.id NOT IN (SELECT gone.id FROM ${replaced}.users AS gone) ORDER BY come.username`,
  );
  const keys = holders
    .filter(({ space }) => !isSharedSpace(space))
    .map((row) => `${row.kind} ${row.parent_id === '' ? '' : `${row.parent_id}/`}${row.id} in ${row.group_id}`);
  return {
    credentials: [...new Set(keys)],
    tokens: tokens.map(({ id, name }) => `${id} (${name})`),
    users: users.map(({ username }) => username),
  };
}
