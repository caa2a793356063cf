import type { SqlRunner } from './sql-runner.ts';

interface RevisionRow {
  readonly id: string;
  readonly revision: number;
}

/** The setting in which the sessions of control planes lie (decision 6), and what makes one more. */
export interface SessionSetting {
  readonly name: string;
  /** The value with a session that begins with the groups as they are. */
  readonly append: (value: Buffer | undefined, groups: readonly RevisionRow[]) => Buffer;
}

/** How far a restored group's revision leaps when nobody can tell what gateways have seen: more than is written between two backups. */
const LEAP = 1_000_000;

/**
 * Parts a restored store from what was written since its backup. The restored revision ends the session that it belongs to (decision 6), so
 * that a gateway which has seen more gets a snapshot; and revisions go on above all that were ever given, so that no gateway takes that
 * snapshot for an old one. `replaced` is the schema of the store that stood there, where it can be read.
 */
export async function leadOn(sql: SqlRunner, replaced: string | undefined, sessions: SessionSetting, nowSeconds: number): Promise<void> {
  const groups = await sql.all<RevisionRow>('SELECT id, revision FROM gateway_groups ORDER BY id');
  const seen = replaced === undefined ? [] : await sql.all<RevisionRow>(`SELECT id, revision FROM ${replaced}.gateway_groups`);
  const [known] = await sql.all<{ hex: string }>(`SELECT ${sql.hexOf('value')} AS hex FROM settings WHERE name = $1`, sessions.name);
  const value = sessions.append(known === undefined ? undefined : Buffer.from(known.hex, 'hex'), groups);
  await sql.run(
    `INSERT INTO settings (name, value, secret, updated_at) VALUES ($1, ${sql.bytesOf('$2')}, 0, $3)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
    ...[sessions.name, value.toString('hex'), nowSeconds],
  );
  const seenById = new Map(seen.map(({ id, revision }) => [id, revision]));
  for (const { id, revision } of groups) {
    const newest = seenById.get(id);
    const next = newest === undefined ? revision + LEAP : Math.max(revision, newest) + 1;
    await sql.run('UPDATE gateway_groups SET revision = $1 WHERE id = $2', next, id);
  }
}
