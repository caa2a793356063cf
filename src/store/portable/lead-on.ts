import { parseRevisionFloor, REVISION_FLOOR_SETTING, revisionFloorValue } from '../rows/revision-floor.ts';
import type { SqlRunner } from './sql-runner.ts';

/** A group, and where it stands. */
export interface RevisionRow {
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
 * snapshot for an old one. So do those of groups that are not there: they were made since, and may be made again. `replaced` is the schema of
 * the store that stood there, where it can be read. Returns the groups as they go on.
 */
export async function leadOn(
  sql: SqlRunner,
  replaced: string | undefined,
  sessions: SessionSetting,
  nowSeconds: number,
): Promise<readonly RevisionRow[]> {
  const groups = await sql.all<RevisionRow>('SELECT id, revision FROM gateway_groups ORDER BY id');
  const seen = replaced === undefined ? [] : await sql.all<RevisionRow>(`SELECT id, revision FROM ${replaced}.gateway_groups`);
  await keepSetting(sql, sessions.name, sessions.append(await settingOf(sql, '', sessions.name), groups), nowSeconds);
  const seenById = new Map(seen.map(({ id, revision }) => [id, revision]));
  const next = groups.map(({ id, revision }) => {
    const newest = seenById.get(id);
    return { id, revision: newest === undefined ? revision + LEAP : Math.max(revision, newest) + 1 };
  });
  for (const { id, revision } of next) await sql.run('UPDATE gateway_groups SET revision = $1 WHERE id = $2', revision, id);
  const ownFloor = parseRevisionFloor(await settingOf(sql, '', REVISION_FLOOR_SETTING));
  const seenFloor = replaced === undefined ? LEAP : parseRevisionFloor(await settingOf(sql, `${replaced}.`, REVISION_FLOOR_SETTING));
  const floor = [...next, ...seen].reduce((highest, { revision }) => Math.max(highest, revision), Math.max(ownFloor, seenFloor)) + 1;
  await keepSetting(sql, REVISION_FLOOR_SETTING, revisionFloorValue(floor), nowSeconds);
  return next;
}

async function settingOf(sql: SqlRunner, schema: string, name: string): Promise<Buffer | undefined> {
  const [known] = await sql.all<{ hex: string }>(`SELECT ${sql.hexOf('value')} AS hex FROM ${schema}settings WHERE name = $1`, name);
  return known === undefined ? undefined : Buffer.from(known.hex, 'hex');
}

async function keepSetting(sql: SqlRunner, name: string, value: Buffer, nowSeconds: number): Promise<void> {
  await sql.run(
    `INSERT INTO settings (name, value, secret, updated_at) VALUES ($1, ${sql.bytesOf('$2')}, 0, $3)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
    ...[name, value.toString('hex'), nowSeconds],
  );
}
