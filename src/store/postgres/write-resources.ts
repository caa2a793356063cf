import { PortcullisError } from '../../errors/index.ts';
import { originOf, originText } from '../change-origin.ts';
import type { FieldCipher } from '../field-cipher.ts';
import { listingOf } from '../lists/resource-listing.ts';
import { ReleasedValues } from '../rows/released-values.ts';
import { type KeyColumns, keyOfRow, sealSecrets } from '../rows/resource-rows.ts';
import { type SecretInForce, type SinceRow, secretsInForce, secretsSinceColumn } from '../rows/secrets-in-force.ts';
import { rowOfShared } from '../rows/shared-values.ts';
import { assertRevision, type CurrentRow, columnsOfKey, labelsOf, secretPointersColumn, withoutRepeats } from '../rows/write-checks.ts';
import { splitSecrets } from '../secret-fields.ts';
import {
  type Author,
  type ResourceKey,
  type ResourceWrite,
  SharedConflict,
  type SharedValue,
  type StoredResource,
  UniqueConflict,
  type UniqueValue,
} from '../store.ts';
import { findDissenter } from './find-dissenter.ts';
import { type ChangePosition, GroupRevisions } from './group-revisions.ts';
import { labelsArray } from './list-resources.ts';
import { ListWriter } from './list-writer.ts';
import type { PostgresConnection } from './postgres-connection.ts';

interface Version {
  readonly key: ResourceKey;
  readonly revision: number;
  readonly document: string;
  readonly secretPointers: string | null;
  readonly secretsSince: string | null;
}

const KEY = 'group_id = $1 AND kind = $2 AND parent_id = $3 AND id = $4';

/** The resource writes of one transaction. Conflicts are found before anything is written. */
export class ResourceWriter {
  readonly #cipher: FieldCipher;
  readonly #author: Author;
  readonly #origin: string;
  /** Unix seconds; all writes of a transaction bear the same time. */
  readonly #now: number;
  readonly #revisions = new GroupRevisions();
  readonly #released = new ReleasedValues();
  readonly #lists = new ListWriter();

  constructor(cipher: FieldCipher, author: Author, now: number) {
    this.#cipher = cipher;
    this.#author = author;
    this.#origin = originText(originOf(author));
    this.#now = now;
  }

  /** The groups that have a new revision. */
  get raisedGroups(): readonly string[] {
    return this.#revisions.raised;
  }

  async put(connection: PostgresConnection, write: ResourceWrite): Promise<StoredResource> {
    const { key } = write;
    const current = await currentRow(connection, key);
    assertRevision(current, write.expectedRevision);
    const unique = withoutRepeats(write.unique);
    for (const value of unique) await assertFree(connection, key.groupId, value, current?.row);
    const shared = write.shared ?? [];
    for (const value of shared) await assertAgreed(connection, key.groupId, value, current?.row);
    const split = splitSecrets(write.document, write.secretPointers);
    const sealed = sealSecrets(key, split.secrets, this.#cipher);
    const known = await this.#secretsInForce(connection, key, current);

    const { revision, position } = await this.#revisions.next(connection, key.groupId);
    const createdAt = current?.created_at ?? this.#now;
    const labels = labelsColumn(split.publicText);
    const row = await this.#upsert(connection, write, { revision, position, createdAt, text: split.text, labels, sealed });
    await this.#lists.list(
      connection,
      listingOf({
        ...{ row, group_id: key.groupId, kind: key.kind, parent_id: key.parentId, id: key.id, revision, position },
        ...{ owner_kind: write.owner?.kind ?? null, owner_id: write.owner?.id ?? null, document: split.publicText },
      }),
    );
    if (current !== undefined) await connection.run('DELETE FROM unique_values WHERE resource_row = $1', row);
    this.#released.settle(key);
    for (const value of [...unique, ...shared.map((each) => rowOfShared(each, row))]) {
      await connection.run(
        'INSERT INTO unique_values (group_id, space, digest, resource_row) VALUES ($1, $2, $3, $4)',
        ...[key.groupId, value.space, value.digest, row],
      );
    }
    // What exists has no removal.
    if (current === undefined) await connection.run(`DELETE FROM resource_removals WHERE ${KEY}`, ...columnsOfKey(key));
    const secretPointers = secretPointersColumn(split.secrets);
    const secretsSince = secretsSinceColumn(split.secrets, known, revision);
    await this.#addVersion(connection, { key, revision, document: split.publicText, secretPointers, secretsSince });
    return { key, document: write.document, revision, createdAt, updatedAt: this.#now, unique };
  }

  async delete(connection: PostgresConnection, key: ResourceKey, expectedRevision: number | undefined): Promise<boolean> {
    const current = await currentRow(connection, key);
    assertRevision(current, expectedRevision);
    if (current === undefined) return false;
    // What is owned goes before its owner, so that no change ever leaves something without one.
    await this.#remove(connection, key.groupId, (await withOwned(connection, key)).toReversed());
    return true;
  }

  async release(connection: PostgresConnection, key: ResourceKey): Promise<void> {
    const current = await currentRow(connection, key);
    if (current === undefined) return;
    await connection.run('DELETE FROM unique_values WHERE resource_row = $1', current.row);
    this.#released.add(key);
  }

  /** @throws Error as `ReleasedValues.assertSettled` */
  assertComplete(): void {
    this.#released.assertSettled();
  }

  /** Completes the lists, before they are read and before the transaction ends. */
  async settleLists(connection: PostgresConnection): Promise<void> {
    await this.#lists.settle(connection);
  }

  /** Deletes one resource and leaves what it owns. */
  async deleteAlone(connection: PostgresConnection, key: ResourceKey): Promise<boolean> {
    if ((await currentRow(connection, key)) === undefined) return false;
    await this.#remove(connection, key.groupId, [key]);
    return true;
  }

  async #secretsInForce(
    connection: PostgresConnection,
    key: ResourceKey,
    current: CurrentRow | undefined,
  ): Promise<ReadonlyMap<string, SecretInForce>> {
    if (current === undefined || current.secrets === null) return new Map();
    const version = await connection.get<SinceRow>(
      `SELECT revision, secret_pointers, secrets_since FROM resource_versions
       WHERE ${KEY} AND superseded_at IS NULL ORDER BY number DESC LIMIT 1`,
      ...columnsOfKey(key),
    );
    return secretsInForce(this.#cipher, key, current, version);
  }

  async #upsert(
    connection: PostgresConnection,
    write: ResourceWrite,
    to: {
      readonly revision: number;
      readonly position: number;
      readonly createdAt: number;
      readonly text: string;
      readonly labels: readonly string[] | null;
      readonly sealed: string | null;
    },
  ): Promise<number> {
    const written = await connection.get<{ row: number }>(
      `INSERT INTO resources (group_id, kind, parent_id, id, owner_kind, owner_id, revision, position, created_at, updated_at, document, labels, secrets)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
       ON CONFLICT (group_id, kind, parent_id, id) DO UPDATE SET
         owner_kind = excluded.owner_kind, owner_id = excluded.owner_id, revision = excluded.revision, position = excluded.position,
         updated_at = excluded.updated_at, document = excluded.document, labels = excluded.labels,
         secrets = excluded.secrets
       RETURNING resources.row`,
      ...columnsOfKey(write.key),
      ...[write.owner?.kind ?? null, write.owner?.id ?? null],
      ...[to.revision, to.position, to.createdAt, this.#now, to.text, to.labels, to.sealed],
    );
    if (written === undefined) throw new PortcullisError('store_unavailable', { detail: 'a written row was not returned' });
    return written.row;
  }

  /** Whole cascades go with four statements, however many resources they take. */
  async #remove(connection: PostgresConnection, groupId: string, keys: readonly ResourceKey[]): Promise<void> {
    const positions: ChangePosition[] = [];
    for (const key of keys) {
      positions.push(await this.#revisions.next(connection, groupId));
      this.#released.settle(key);
    }
    const columns = [keys.map(({ kind }) => kind), keys.map(({ parentId }) => parentId), keys.map(({ id }) => id)];
    await connection.run(
      `DELETE FROM resources USING unnest($2::text[], $3::text[], $4::text[]) AS doomed (kind, parent_id, id)
       WHERE group_id = $1 AND resources.kind = doomed.kind COLLATE "C" AND resources.parent_id = doomed.parent_id COLLATE "C"
         AND resources.id = doomed.id COLLATE "C"`,
      groupId,
      ...columns,
    );
    for (const key of keys) await this.#lists.unlist(connection, key);
    await connection.run(
      `INSERT INTO resource_removals (group_id, kind, parent_id, id, revision, position, at)
       SELECT $1, kind, parent_id, id, $2, position, $3
       FROM unnest($4::text[], $5::text[], $6::text[], $7::integer[]) AS doomed (kind, parent_id, id, position)`,
      ...[groupId, positions[0]?.revision ?? 0, this.#now, ...columns, positions.map(({ position }) => String(position))],
    );
    const revision = positions[0]?.revision ?? 0;
    await connection.run(
      `UPDATE resource_versions SET superseded_at = $2, superseded_revision = $3
       FROM unnest($4::text[], $5::text[], $6::text[]) AS doomed (kind, parent_id, id)
       WHERE group_id = $1 AND superseded_at IS NULL AND resource_versions.kind = doomed.kind COLLATE "C"
         AND resource_versions.parent_id = doomed.parent_id COLLATE "C" AND resource_versions.id = doomed.id COLLATE "C"`,
      ...[groupId, this.#now, revision, ...columns],
    );
    // Nothing is in force after a delete, so it is superseded at once.
    await connection.run(
      `INSERT INTO resource_versions
         (group_id, kind, parent_id, id, revision, op, author_id, author_name, at, origin, superseded_at, superseded_revision)
       SELECT $1, kind, parent_id, id, $2, 'delete', $3, $4, $5, $6, $5, $2
       FROM unnest($7::text[], $8::text[], $9::text[]) WITH ORDINALITY AS doomed (kind, parent_id, id, place) ORDER BY place`,
      ...[groupId, revision, this.#author.id, this.#author.name, this.#now, this.#origin, ...columns],
    );
  }

  /** Keeps what a put wrote. */
  async #addVersion(connection: PostgresConnection, version: Version): Promise<void> {
    const { key, revision } = version;
    await connection.run(
      `UPDATE resource_versions SET superseded_at = $5, superseded_revision = $6 WHERE ${KEY} AND superseded_at IS NULL`,
      ...[...columnsOfKey(key), this.#now, revision],
    );
    await connection.run(
      `INSERT INTO resource_versions
         (group_id, kind, parent_id, id, revision, op, author_id, author_name, at, document, secret_pointers, secrets_since, origin)
       VALUES ($1, $2, $3, $4, $5, 'put', $6, $7, $8, $9, $10, $11, $12)`,
      ...[...columnsOfKey(key), revision, this.#author.id, this.#author.name, this.#now],
      ...[version.document, version.secretPointers, version.secretsSince, this.#origin],
    );
  }
}

async function currentRow(connection: PostgresConnection, key: ResourceKey): Promise<CurrentRow | undefined> {
  return connection.get<CurrentRow>(
    `SELECT resources.row, revision, created_at, secrets FROM resources WHERE ${KEY}`,
    ...columnsOfKey(key),
  );
}

async function assertFree(connection: PostgresConnection, groupId: string, value: UniqueValue, ownRow: number | undefined): Promise<void> {
  const holder = await connection.get<KeyColumns & { readonly row: number }>(
    `SELECT resources.row, resources.group_id, kind, parent_id, id FROM unique_values JOIN resources ON resources.row = resource_row
     WHERE unique_values.group_id = $1 AND space = $2 AND digest = $3`,
    ...[groupId, value.space, value.digest],
  );
  if (holder !== undefined && holder.row !== ownRow) throw new UniqueConflict(value.space, keyOfRow(holder));
}

async function assertAgreed(
  connection: PostgresConnection,
  groupId: string,
  value: SharedValue,
  ownRow: number | undefined,
): Promise<void> {
  const dissenter = await findDissenter(connection, groupId, value, ownRow);
  if (dissenter !== undefined) throw new SharedConflict(value.space, keyOfRow(dissenter));
}

/** The resource and all that goes with it, owners before what they own. Each is visited once, so that a ring of owners ends. */
async function withOwned(connection: PostgresConnection, root: ResourceKey): Promise<readonly ResourceKey[]> {
  const found = new Map([[JSON.stringify(root), root]]);
  for (let owners: readonly ResourceKey[] = [root]; owners.length > 0; ) {
    // Only what has no parent can own: an owner is named by kind and id alone.
    const owning = owners.filter(({ parentId }) => parentId === '');
    const owned = await connection.all<KeyColumns>(
      `SELECT group_id, resources.kind, parent_id, resources.id
       FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS owner (kind, id, place)
       JOIN resources ON group_id = $1 AND owner_kind = owner.kind COLLATE "C" AND owner_id = owner.id COLLATE "C"
       ORDER BY place, resources.kind, parent_id, resources.id`,
      ...[root.groupId, owning.map(({ kind }) => kind), owning.map(({ id }) => id)],
    );
    const fresh = new Map(owned.map(keyOfRow).map((key) => [JSON.stringify(key), key]));
    for (const name of found.keys()) fresh.delete(name);
    for (const [name, key] of fresh) found.set(name, key);
    owners = [...fresh.values()];
  }
  return [...found.values()];
}

/** The column `labels`: null for none. */
function labelsColumn(publicText: string): readonly string[] | null {
  const labels = labelsOf(publicText);
  return labels.length === 0 ? null : labelsArray(labels);
}
