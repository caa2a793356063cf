import { rowOfShared } from '../rows/shared-values.ts';
import type { ResourceKey, SharedValue, UniqueValue } from '../store.ts';
import { allSettled } from './all-settled.ts';
import { columnsOf, nameOfKey } from './known-resources.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** One write of a resource that the database does not have yet. */
export type GatheredWrite = GatheredPut | GatheredDelete;

interface WritePlace {
  readonly key: ResourceKey;
  readonly revision: number;
  readonly position: number;
}

/** A resource as it is to be. */
export interface GatheredPut extends WritePlace {
  readonly op: 'put';
  /** Its number, where it has been there before. */
  readonly formerRow: number | undefined;
  readonly owner: { readonly kind: string; readonly id: string } | undefined;
  readonly createdAt: number;
  /** The document with nulls in place of its secrets, and without them. */
  readonly text: string;
  readonly publicText: string;
  /** Each a JSON array of name and value; null for none. */
  readonly labels: readonly string[] | null;
  readonly sealed: string | null;
  readonly unique: readonly UniqueValue[];
  readonly shared: readonly SharedValue[];
  readonly secretPointers: string | null;
  readonly secretsSince: string | null;
}

/** A resource that is to be gone. */
export interface GatheredDelete extends WritePlace {
  readonly op: 'delete';
}

/** What all writes of a transaction have in common. */
export interface WriteAuthor {
  readonly id: string;
  readonly name: string;
  readonly origin: string;
  /** Unix seconds. */
  readonly now: number;
}

/**
 * Brings writes, of different resources, to the database: statements that are sent together, one for each table, however many writes
 * there are. Returns the number of each resource that was put, by `nameOfKey`. Unique values follow by `writeValues`, lists by their own writer.
 */
export async function writeGathered(
  connection: PostgresConnection,
  writes: readonly GatheredWrite[],
  author: WriteAuthor,
): Promise<ReadonlyMap<string, number>> {
  const puts = writes.filter((write) => write.op === 'put');
  const deletes = writes.filter((write) => write.op === 'delete');
  const [rows] = await allSettled([
    puts.length === 0 ? [] : upsertResources(connection, puts, author.now),
    ...(deletes.length === 0 ? [] : [deleteResources(connection, deletes, author.now)]),
    clearValues(connection, puts),
    forgetRemovals(connection, puts),
    supersedeVersions(connection, writes, author.now),
    addVersions(connection, writes, author),
  ]);
  return new Map(rows.map(({ name, row }) => [name, row]));
}

/** Gives the resources that were put the values that they hold. Whoever held one before has been written too, or has let go of it. */
export async function writeValues(
  connection: PostgresConnection,
  writes: readonly GatheredWrite[],
  rows: ReadonlyMap<string, number>,
): Promise<void> {
  const values = writes.flatMap((write) => {
    if (write.op === 'delete') return [];
    const row = rowOf(rows, write.key);
    const held = [...write.unique, ...write.shared.map((each) => rowOfShared(each, row))];
    return held.map(({ space, digest }) => ({ groupId: write.key.groupId, space, hex: digest.toString('hex'), row }));
  });
  if (values.length === 0) return;
  await connection.run(
    `INSERT INTO unique_values (group_id, space, digest, resource_row)
     SELECT group_id, space, decode(hex, 'hex'), resource_row
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS held (group_id, space, hex, resource_row)`,
    ...[values.map(({ groupId }) => groupId), values.map(({ space }) => space), values.map(({ hex }) => hex)],
    values.map(({ row }) => String(row)),
  );
}

/** The number of a resource that was put. */
export function rowOf(rows: ReadonlyMap<string, number>, key: ResourceKey): number {
  const row = rows.get(nameOfKey(key));
  if (row === undefined) throw new Error('a written row was not returned');
  return row;
}

async function upsertResources(
  connection: PostgresConnection,
  puts: readonly GatheredPut[],
  now: number,
): Promise<readonly { readonly name: string; readonly row: number }[]> {
  // The order of writing is that of the numbers, by which lists are ordered.
  const written = await connection.all<{ row: number; group_id: string; kind: string; parent_id: string; id: string }>(
    `INSERT INTO resources (group_id, kind, parent_id, id, owner_kind, owner_id, revision, position, created_at, updated_at, document,
       labels, secrets)
     SELECT group_id, kind, parent_id, id, owner_kind, owner_id, revision, position, created_at, $13, document,
       CASE WHEN labels IS NOT NULL THEN ARRAY(SELECT json_array_elements_text(labels::json)) END, secrets
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::integer[], $9::bigint[],
       $10::text[], $11::text[], $12::text[]) WITH ORDINALITY
       AS come (group_id, kind, parent_id, id, owner_kind, owner_id, revision, position, created_at, document, labels, secrets, place)
     ORDER BY place
     ON CONFLICT (group_id, kind, parent_id, id) DO UPDATE SET
       owner_kind = excluded.owner_kind, owner_id = excluded.owner_id, revision = excluded.revision, position = excluded.position,
       updated_at = excluded.updated_at, document = excluded.document, labels = excluded.labels, secrets = excluded.secrets
     RETURNING resources.row, group_id, kind, parent_id, id`,
    ...columnsOf(puts.map(({ key }) => key)),
    ...[puts.map(({ owner }) => owner?.kind ?? null), puts.map(({ owner }) => owner?.id ?? null)],
    ...[puts.map(({ revision }) => String(revision)), puts.map(({ position }) => String(position))],
    ...[puts.map(({ createdAt }) => String(createdAt)), puts.map(({ text }) => text)],
    ...[puts.map(({ labels }) => labels && JSON.stringify(labels)), puts.map(({ sealed }) => sealed), now],
  );
  return written.map(({ row, group_id: groupId, kind, parent_id: parentId, id }) => ({
    name: nameOfKey({ groupId, kind, parentId, id }),
    row,
  }));
}

async function deleteResources(connection: PostgresConnection, deletes: readonly GatheredDelete[], now: number): Promise<void> {
  const columns = columnsOf(deletes.map(({ key }) => key));
  await allSettled([
    connection.run(
      `DELETE FROM resources USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS doomed (group_id, kind, parent_id, id)
       WHERE resources.group_id = doomed.group_id COLLATE "C" AND resources.kind = doomed.kind COLLATE "C"
         AND resources.parent_id = doomed.parent_id COLLATE "C" AND resources.id = doomed.id COLLATE "C"`,
      ...columns,
    ),
    connection.run(
      `INSERT INTO resource_removals (group_id, kind, parent_id, id, revision, position, at)
       SELECT group_id, kind, parent_id, id, revision, position, $7
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::integer[])
         AS doomed (group_id, kind, parent_id, id, revision, position)`,
      ...columns,
      ...[deletes.map(({ revision }) => String(revision)), deletes.map(({ position }) => String(position)), now],
    ),
  ]);
}

/** What a resource holds is written anew. */
async function clearValues(connection: PostgresConnection, puts: readonly GatheredPut[]): Promise<void> {
  const rows = puts.flatMap(({ formerRow }) => (formerRow === undefined ? [] : [String(formerRow)]));
  if (rows.length > 0) await connection.run('DELETE FROM unique_values WHERE resource_row = ANY ($1::bigint[])', rows);
}

/** What exists has no removal. */
async function forgetRemovals(connection: PostgresConnection, puts: readonly GatheredPut[]): Promise<void> {
  const fresh = puts.filter(({ formerRow }) => formerRow === undefined);
  if (fresh.length === 0) return;
  await connection.run(
    `DELETE FROM resource_removals AS removal USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS come (group_id, kind, parent_id, id)
     WHERE removal.group_id = come.group_id COLLATE "C" AND removal.kind = come.kind COLLATE "C"
       AND removal.parent_id = come.parent_id COLLATE "C" AND removal.id = come.id COLLATE "C"`,
    ...columnsOf(fresh.map(({ key }) => key)),
  );
}

async function supersedeVersions(connection: PostgresConnection, writes: readonly GatheredWrite[], now: number): Promise<void> {
  await connection.run(
    `UPDATE resource_versions AS version SET superseded_at = $6, superseded_revision = written.revision
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS written (group_id, kind, parent_id, id, revision)
     WHERE superseded_at IS NULL AND version.group_id = written.group_id COLLATE "C" AND version.kind = written.kind COLLATE "C"
       AND version.parent_id = written.parent_id COLLATE "C" AND version.id = written.id COLLATE "C"`,
    ...columnsOf(writes.map(({ key }) => key)),
    ...[writes.map(({ revision }) => String(revision)), now],
  );
}

/** Keeps what was written, in the order of writing. Nothing is in force after a delete, so it is superseded at once. */
async function addVersions(connection: PostgresConnection, writes: readonly GatheredWrite[], author: WriteAuthor): Promise<void> {
  await connection.run(
    `INSERT INTO resource_versions (group_id, kind, parent_id, id, revision, op, author_id, author_name, at, document, secret_pointers,
       secrets_since, origin, superseded_at, superseded_revision)
     SELECT group_id, kind, parent_id, id, revision, op, $10, $11, $12::bigint, document, secret_pointers, secrets_since, $13,
       CASE op WHEN 'delete' THEN $12::bigint END, CASE op WHEN 'delete' THEN revision END
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[]) WITH ORDINALITY
       AS written (group_id, kind, parent_id, id, revision, op, document, secret_pointers, secrets_since, place)
     ORDER BY place`,
    ...columnsOf(writes.map(({ key }) => key)),
    ...[writes.map(({ revision }) => String(revision)), writes.map(({ op }) => op)],
    ...[writes.map((write) => (write.op === 'put' ? write.publicText : null))],
    ...[writes.map((write) => (write.op === 'put' ? write.secretPointers : null))],
    ...[writes.map((write) => (write.op === 'put' ? write.secretsSince : null))],
    ...[author.id, author.name, author.now, author.origin],
  );
}
