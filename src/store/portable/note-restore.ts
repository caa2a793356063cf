import path from 'node:path';
import { CHAINED_SINCE } from '../migrations/index.ts';
import { columnsOfEntry } from '../rows/audit-entries.ts';
import type { AuditEntry, Author } from '../store.ts';
import type { RestoreInput } from './restore-store.ts';
import type { SqlRunner } from './sql-runner.ts';

/** Chains an entry to the audit log and keeps the end of the chain, in the transaction that is open. */
export type ChainEntry = (entry: AuditEntry, author: Author, nowSeconds: number) => Promise<void>;

/** Notes the restore in the audit log of the store that comes, in the transaction that fills it: there is no restored store that does not tell of it. */
export async function noteRestore(
  sql: SqlRunner,
  input: RestoreInput,
  note: { readonly keptAs: string | undefined; readonly nowSeconds: number; readonly chain: ChainEntry },
): Promise<void> {
  const { author, file, madeAt, schema } = input;
  const entry: AuditEntry = {
    ...{ at: note.nowSeconds, author, action: 'store.restore', groupId: undefined, resource: path.basename(file), address: undefined },
    detail: { made_at: madeAt, kept_as: note.keptAs ?? null },
  };
  if (schema >= CHAINED_SINCE) return note.chain(entry, author, note.nowSeconds);
  // Older logs are chained as a whole, with this entry, when the store is opened.
  const { at, author_id, author_name, action, resource, detail } = columnsOfEntry(entry, author);
  await sql.run(
    'INSERT INTO audit_entries (at, author_id, author_name, action, resource, detail) VALUES ($1, $2, $3, $4, $5, $6)',
    ...[at, author_id, author_name, action, resource, detail],
  );
}
