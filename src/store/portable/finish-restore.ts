import { broughtBack } from './brought-back.ts';
import { leadOn } from './lead-on.ts';
import type { RestoredStore, RestoreInput } from './restore-store.ts';
import type { SqlRunner } from './sql-runner.ts';

/**
 * What both databases do with a store that was filled from a backup, in the same transaction: takes out what no restore brings back, compares it
 * with the one that it replaces, and leads it on from there. `replaced` is that one's schema, where it can be read.
 */
export async function finishRestore(
  sql: SqlRunner,
  replaced: string | undefined,
  input: RestoreInput,
): Promise<Pick<RestoredStore, 'broughtBack' | 'groups'>> {
  const nowSeconds = Math.floor(input.clock.nowMs() / 1000);
  const { cipher, describeRecord, schema, sessions } = input;
  if (schema >= SCHEMA_OF_RECORDS) for (const kind of input.endedKinds) await sql.run('DELETE FROM records WHERE kind = $1', kind);
  const comparison = { cipher, describeRecord, nowSeconds };
  const back =
    replaced === undefined
      ? undefined
      : await broughtBack(sql, replaced, { ...comparison, schema: Math.min(schema, await schemaOf(sql, replaced)) });
  return { broughtBack: back, groups: await leadOn(sql, replaced, sessions, nowSeconds) };
}

/** Records came with this version of the schema. */
const SCHEMA_OF_RECORDS = 2;

async function schemaOf(sql: SqlRunner, replaced: string): Promise<number> {
  const [row] = await sql.all<{ version: number }>(`SELECT coalesce(max(version), 0) AS version FROM ${replaced}.schema_migrations`);
  return row?.version ?? 0;
}
