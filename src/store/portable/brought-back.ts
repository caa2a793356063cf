import type { FieldCipher } from '../field-cipher.ts';
import { keyOfRow, openSecret } from '../rows/resource-rows.ts';
import { isSharedSpace } from '../rows/shared-values.ts';
import { broughtBackPeople } from './brought-back-people.ts';
import { broughtBackRecords, type DescribeRestoredRecord } from './brought-back-records.ts';
import type { SqlRunner } from './sql-runner.ts';

/** What a restore makes valid that no longer was: each as a person names it. */
export interface BroughtBack {
  /** Whose key was removed or replaced since, e.g. `credential jack/c1 in default`. */
  readonly credentials: readonly string[];
  /** Whose secret was replaced or removed since under the same name, or cannot be compared. */
  readonly secrets: readonly string[];
  readonly tokens: readonly string[];
  readonly users: readonly string[];
  /** Users whose former password holds again. */
  readonly passwords: readonly string[];
  /** Users whose former roles, permission boundary or outside identity hold again. */
  readonly access: readonly string[];
  /** What belongs to no group: roles, join tokens, instances and the like. */
  readonly records: readonly string[];
}

/** What the comparison needs besides the two stores. */
export interface Comparison {
  /** Opens the restored store, and the one that it replaces where that is encrypted with a key that is known. */
  readonly cipher: FieldCipher;
  readonly describeRecord: DescribeRestoredRecord;
  readonly nowSeconds: number;
  /** The older of the two schemas. */
  readonly schema: number;
}

interface HolderRow {
  readonly group_id: string;
  readonly kind: string;
  readonly parent_id: string;
  readonly id: string;
}

interface SecretsRow extends HolderRow {
  readonly row: number;
  readonly come: string;
  readonly gone: string | null;
}

/** Enough that a page costs more than asking for it, few enough for memory. */
const ROWS_AT_ONCE = 1_000;

/** Compares the restored store with the one that it replaces: keys, secrets, tokens and people that were removed, revoked or changed since the backup. */
export async function broughtBack(sql: SqlRunner, replaced: string, comparison: Comparison): Promise<BroughtBack> {
  const credentials = await formerKeys(sql, replaced);
  const known = new Set(credentials);
  const secrets = (await formerSecrets(sql, replaced, comparison.cipher)).filter((name) => !known.has(name));
  const tokens = await sql.all<{ id: string; name: string }>(
    `SELECT come.id, come.name FROM tokens AS come LEFT JOIN ${replaced}.tokens AS gone ON gone.id = come.id
     WHERE come.revoked_at IS NULL AND (come.expires_at = 0 OR come.expires_at > $1)
       AND (gone.id IS NULL OR gone.revoked_at IS NOT NULL OR (gone.expires_at > 0 AND gone.expires_at <= $2)) ORDER BY come.id`,
    ...[comparison.nowSeconds, comparison.nowSeconds],
  );
  return {
    credentials,
    secrets,
    tokens: tokens.map(({ id, name }) => `${id} (${name})`),
    ...(await broughtBackPeople(sql, replaced, comparison.schema)),
    records: await broughtBackRecords(sql, replaced, comparison),
  };
}

async function formerKeys(sql: SqlRunner, replaced: string): Promise<readonly string[]> {
  const holders = await sql.all<HolderRow & { readonly space: string }>(
    `SELECT holder.group_id, holder.kind, holder.parent_id, holder.id, come.space
     FROM unique_values AS come JOIN resources AS holder ON holder.row = come.resource_row
     WHERE NOT EXISTS (SELECT 1 FROM ${replaced}.unique_values AS gone
       WHERE gone.group_id = come.group_id AND gone.space = come.space AND gone.digest = come.digest)
     ORDER BY holder.group_id, holder.kind, holder.parent_id, holder.id`,
  );
  return [...new Set(holders.filter(({ space }) => !isSharedSpace(space)).map(nameOf))];
}

/** Ciphertexts differ whenever something was written, so that those which do are opened and compared. */
async function formerSecrets(sql: SqlRunner, replaced: string, cipher: FieldCipher): Promise<readonly string[]> {
  const names: string[] = [];
  let after = 0;
  for (;;) {
    const rows = await sql.all<SecretsRow>(
      `SELECT come.row, come.group_id, come.kind, come.parent_id, come.id, come.secrets AS come, gone.secrets AS gone
       FROM resources AS come LEFT JOIN ${replaced}.resources AS gone
         ON gone.group_id = come.group_id AND gone.kind = come.kind AND gone.parent_id = come.parent_id AND gone.id = come.id
       WHERE come.secrets IS NOT NULL AND (gone.secrets IS NULL OR gone.secrets <> come.secrets) AND come.row > $1
       ORDER BY come.row LIMIT ${ROWS_AT_ONCE}`,
      after,
    );
    for (const row of rows) if (hasFormerSecret(row, cipher)) names.push(nameOf(row));
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return names;
    after = last.row;
  }
}

function hasFormerSecret(row: SecretsRow, cipher: FieldCipher): boolean {
  const key = keyOfRow(row);
  const gone = new Map<string, string>(row.gone === null ? [] : JSON.parse(row.gone));
  const come: [string, string][] = JSON.parse(row.come);
  return come.some(([pointer, sealed]) => {
    const former = openSecret(cipher, key, pointer, sealed);
    const present = gone.get(pointer);
    return former === undefined || present === undefined || openSecret(cipher, key, pointer, present) !== former;
  });
}

function nameOf({ group_id, kind, parent_id, id }: HolderRow): string {
  return `${kind} ${parent_id === '' ? '' : `${parent_id}/`}${id} in ${group_id}`;
}
