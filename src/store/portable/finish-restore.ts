import { broughtBack } from './brought-back.ts';
import { leadOn } from './lead-on.ts';
import { type ChainEntry, noteRestore } from './note-restore.ts';
import type { RestoredStore, RestoreInput } from './restore-store.ts';
import type { SqlRunner } from './sql-runner.ts';

/**
 * What both databases do with a store that was filled from a backup, in the same transaction: takes out what no restore brings back, compares it
 * with the one that it replaces, leads it on from there, and notes all of it in the audit log. `replaced` is that one's schema, where it can be read,
 * and `keptAs` where it will be.
 */
export async function finishRestore(
  sql: SqlRunner,
  replaced: string | undefined,
  input: RestoreInput,
  note: { readonly keptAs: string | undefined; readonly chain: ChainEntry },
): Promise<Pick<RestoredStore, 'broughtBack' | 'groups'>> {
  const nowSeconds = Math.floor(input.clock.nowMs() / 1000);
  const { cipher, describeRecord, schema, sessions } = input;
  if (schema >= SCHEMA_OF_RECORDS) for (const kind of input.endedKinds) await sql.run('DELETE FROM records WHERE kind = $1', kind);
  const comparison = { cipher, describeRecord, nowSeconds };
  const back =
    replaced === undefined
      ? undefined
      : await broughtBack(sql, replaced, { ...comparison, schema: Math.min(schema, await schemaOf(sql, replaced)) });
  const groups = await leadOn(sql, replaced, sessions, nowSeconds);
  await noteRestore(sql, input, { ...note, nowSeconds });
  return { broughtBack: back, groups };
}

/** Records came with this version of the schema. */
const SCHEMA_OF_RECORDS = 2;

async function schemaOf(sql: SqlRunner, replaced: string): Promise<number> {
  const [row] = await sql.all<{ version: number }>(`SELECT coalesce(max(version), 0) AS version FROM ${replaced}.schema_migrations`);
  return row?.version ?? 0;
}
