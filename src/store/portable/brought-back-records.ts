import type { FieldCipher } from '../field-cipher.ts';
import { type StoredRecordRow, storedRecordOfRow } from '../rows/stored-record-rows.ts';
import type { StoredRecord } from '../store.ts';
import type { SqlRunner } from './sql-runner.ts';

/**
 * Names what a restored record allows that no longer was allowed, for a person; undefined when it is nothing. `present` is the record as it is in the
 * store that is replaced. Both are without their secrets; `hasFormerSecret` tells of those.
 */
export type DescribeRestoredRecord = (
  restored: StoredRecord,
  present: StoredRecord | undefined,
  found: { readonly nowSeconds: number; readonly hasFormerSecret: boolean },
) => string | undefined;

/** Records came with this version of the schema. */
const SCHEMA_OF_RECORDS = 2;
const COLUMNS = ['kind', 'id', 'owner_id', 'name', 'document', 'secrets', 'expires_at', 'version', 'created_at', 'updated_at'] as const;

type ComparedRow = StoredRecordRow & { readonly [Column in (typeof COLUMNS)[number] as `gone_${Column}`]: StoredRecordRow[Column] | null };

/** Compares the records of a restored store with those of the one that it replaces. */
export async function broughtBackRecords(
  sql: SqlRunner,
  replaced: string,
  options: {
    readonly cipher: FieldCipher;
    readonly describeRecord: DescribeRestoredRecord;
    readonly nowSeconds: number;
    readonly schema: number;
  },
): Promise<readonly string[]> {
  if (options.schema < SCHEMA_OF_RECORDS) return [];
  const rows = await sql.all<ComparedRow>(
    `SELECT ${COLUMNS.map((name) => `come.${name}, gone.${name} AS gone_${name}`).join(', ')}
     FROM records AS come LEFT JOIN ${replaced}.records AS gone ON gone.kind = come.kind AND gone.id = come.id
     WHERE gone.id IS NULL OR gone.document <> come.document OR coalesce(gone.secrets, '') <> coalesce(come.secrets, '')
     ORDER BY come.kind, come.id`,
  );
  const names = rows.map((row) => {
    const present = presentOf(row);
    return options.describeRecord(
      storedRecordOfRow(row, undefined),
      present === undefined ? undefined : storedRecordOfRow(present, undefined),
      { nowSeconds: options.nowSeconds, hasFormerSecret: secretsOf(row, options.cipher) !== secretsOf(present, options.cipher) },
    );
  });
  return names.filter((name) => name !== undefined);
}

function presentOf(row: ComparedRow): StoredRecordRow | undefined {
  const { gone_kind: kind, gone_id: id, gone_document: document } = row;
  if (kind === null || id === null || document === null) return undefined;
  return {
    ...{ kind, id, document, owner_id: row.gone_owner_id, name: row.gone_name, secrets: row.gone_secrets },
    ...{ expires_at: row.gone_expires_at ?? 0, version: row.gone_version ?? 0 },
    ...{ created_at: row.gone_created_at ?? 0, updated_at: row.gone_updated_at ?? 0 },
  };
}

/** What its secrets say; ciphertexts of a key that is not known stand for themselves. */
function secretsOf(row: StoredRecordRow | undefined, cipher: FieldCipher): string | null {
  if (row?.secrets == null) return null;
  try {
    return JSON.stringify(storedRecordOfRow(row, cipher).document);
  } catch {
    return row.secrets;
  }
}
