import { PortcullisError } from '../../errors/index.ts';
import { originOf, originText } from '../change-origin.ts';
import { SharedConflict, UniqueConflict } from '../conflicts.ts';
import type { FieldCipher } from '../field-cipher.ts';
import type { LastChange } from '../history.ts';
import { listingOf } from '../lists/resource-listing.ts';
import { ReleasedValues } from '../rows/released-values.ts';
import { type KeyColumns, keyOfRow, sealSecrets } from '../rows/resource-rows.ts';
import { type SecretInForce, type SinceRow, secretsInForce, secretsSinceColumn } from '../rows/secrets-in-force.ts';
import { rowOfShared } from '../rows/shared-values.ts';
import { assertRevision, type CurrentRow, columnsOfKey, labelsOf, secretPointersColumn, withoutRepeats } from '../rows/write-checks.ts';
import { splitSecrets } from '../secret-fields.ts';
import type { Author, ResourceKey, ResourceWrite, SharedValue, StoredResource, UniqueValue } from '../store.ts';
import { findDissenter } from './find-dissenter.ts';
import { GroupRevisions } from './group-revisions.ts';
import { ListWriter } from './list-writer.ts';
import type { SqliteDatabase, SqlValue } from './sqlite-database.ts';

interface Version {
  readonly key: ResourceKey;
  readonly revision: number;
  readonly op: 'put' | 'delete';
  readonly document: string | null;
  readonly secretPointers: string | null;
  readonly secretsSince: string | null;
}

const KEY = 'group_id = ? AND kind = ? AND parent_id = ? AND id = ?';

/** The resource writes of one transaction. Conflicts are found before anything is written. */
export class ResourceWriter {
  readonly #database: SqliteDatabase;
  readonly #cipher: FieldCipher;
  readonly #author: Author;
  readonly #origin: string;
  /** Unix seconds; all writes of a transaction bear the same time. */
  readonly #now: number;
  readonly #revisions: GroupRevisions;
  readonly #released = new ReleasedValues();
  readonly #lists: ListWriter;
  #newest: Version | undefined;

  constructor(database: SqliteDatabase, cipher: FieldCipher, author: Author, now: number) {
    this.#database = database;
    this.#cipher = cipher;
    this.#author = author;
    this.#origin = originText(originOf(author));
    this.#now = now;
    this.#revisions = new GroupRevisions(database);
    this.#lists = new ListWriter(database);
  }

  put(write: ResourceWrite): StoredResource {
    const { key } = write;
    const current = this.#current(key);
    assertRevision(current, write.expectedRevision);
    const unique = withoutRepeats(write.unique);
    for (const value of unique) this.#assertFree(key.groupId, value, current?.row);
    const shared = write.shared ?? [];
    for (const value of shared) this.#assertAgreed(key.groupId, value, current?.row);
    const split = splitSecrets(write.document, write.secretPointers);
    const sealed = sealSecrets(key, split.secrets, this.#cipher);
    const known = this.#secretsInForce(key, current);

    const { revision, position } = this.#revisions.next(key.groupId);
    const createdAt = current?.created_at ?? this.#now;
    const row = this.#upsert(write, { revision, position, createdAt, text: split.text, labels: labelsColumn(split.publicText), sealed });
    this.#lists.list(
      listingOf({
        ...{ row, group_id: key.groupId, kind: key.kind, parent_id: key.parentId, id: key.id, revision, position },
        ...{ owner_kind: write.owner?.kind ?? null, owner_id: write.owner?.id ?? null, document: split.publicText },
      }),
    );
    if (current !== undefined) this.#database.run('DELETE FROM unique_values WHERE resource_row = ?', row);
    this.#released.settle(key);
    for (const value of [...unique, ...shared.map((each) => rowOfShared(each, row))]) {
      // As text: the driver takes ten times as long to hand over bytes.
      this.#database.run(
        'INSERT INTO unique_values (group_id, space, digest, resource_row) VALUES (?, ?, unhex(?), ?)',
        ...[key.groupId, value.space, value.digest.toString('hex'), row],
      );
    }
    // What exists has no removal.
    if (current === undefined) this.#database.run(`DELETE FROM resource_removals WHERE ${KEY}`, ...columnsOfKey(key));
    const secretPointers = secretPointersColumn(split.secrets);
    const secretsSince = secretsSinceColumn(split.secrets, known, revision);
    const version: Version = { key, revision, op: 'put', document: split.publicText, secretPointers, secretsSince };
    this.#addVersion(version);
    this.#newest = current === undefined ? version : undefined;
    return { key, document: write.document, revision, createdAt, updatedAt: this.#now, unique };
  }

  /** What the last write was, if it made this resource: then nothing before it has to be looked for. */
  firstVersionOf(key: ResourceKey): LastChange['to'] | undefined {
    const newest = this.#newest;
    if (newest?.document == null || JSON.stringify(newest.key) !== JSON.stringify(key)) return undefined;
    const secretPointers: readonly string[] = newest.secretPointers === null ? [] : JSON.parse(newest.secretPointers);
    const secretsSince: readonly number[] = newest.secretsSince === null ? [] : JSON.parse(newest.secretsSince);
    return { op: newest.op, document: JSON.parse(newest.document), secretPointers, secretsSince };
  }

  delete(key: ResourceKey, expectedRevision: number | undefined): boolean {
    const current = this.#current(key);
    assertRevision(current, expectedRevision);
    if (current === undefined) return false;
    // What is owned goes before its owner, so that no change ever leaves something without one.
    for (const doomed of this.#withOwned(key).toReversed()) this.#remove(doomed);
    return true;
  }

  release(key: ResourceKey): void {
    const current = this.#current(key);
    if (current === undefined) return;
    this.#database.run('DELETE FROM unique_values WHERE resource_row = ?', current.row);
    this.#released.add(key);
  }

  /** @throws Error as `ReleasedValues.assertSettled` */
  assertComplete(): void {
    this.#released.assertSettled();
  }

  /** Completes the lists, before they are read and before the transaction ends. */
  settleLists(): void {
    this.#lists.settle();
  }

  /** Deletes one resource and leaves what it owns. */
  deleteAlone(key: ResourceKey): boolean {
    if (this.#current(key) === undefined) return false;
    this.#remove(key);
    return true;
  }

  #current(key: ResourceKey): CurrentRow | undefined {
    return this.#database.get<CurrentRow>(`SELECT row, revision, created_at, secrets FROM resources WHERE ${KEY}`, ...columnsOfKey(key));
  }

  #secretsInForce(key: ResourceKey, current: CurrentRow | undefined): ReadonlyMap<string, SecretInForce> {
    if (current === undefined || current.secrets === null) return new Map();
    const version = this.#database.get<SinceRow>(
      `SELECT revision, secret_pointers, secrets_since FROM resource_versions
       WHERE ${KEY} AND superseded_at IS NULL ORDER BY number DESC LIMIT 1`,
      ...columnsOfKey(key),
    );
    return secretsInForce(this.#cipher, key, current, version);
  }

  #assertFree(groupId: string, value: UniqueValue, ownRow: number | undefined): void {
    const held = this.#database.get<{ resource_row: number }>(
      'SELECT resource_row FROM unique_values WHERE group_id = ? AND space = ? AND digest = unhex(?)',
      ...[groupId, value.space, value.digest.toString('hex')],
    );
    if (held === undefined || held.resource_row === ownRow) return;
    const holder = this.#database.get<KeyColumns>('SELECT group_id, kind, parent_id, id FROM resources WHERE row = ?', held.resource_row);
    if (holder !== undefined) throw new UniqueConflict(value.space, keyOfRow(holder));
  }

  #assertAgreed(groupId: string, value: SharedValue, ownRow: number | undefined): void {
    const dissenter = findDissenter(this.#database, groupId, value, ownRow);
    if (dissenter !== undefined) throw new SharedConflict(value.space, keyOfRow(dissenter));
  }

  #upsert(
    write: ResourceWrite,
    to: {
      readonly revision: number;
      readonly position: number;
      readonly createdAt: number;
      readonly text: string;
      readonly labels: string | null;
      readonly sealed: string | null;
    },
  ): number {
    const values: readonly SqlValue[] = [
      ...columnsOfKey(write.key),
      ...[write.owner?.kind ?? null, write.owner?.id ?? null],
      ...[to.revision, to.position, to.createdAt, this.#now, to.text, to.labels, to.sealed],
    ];
    const written = this.#database.get<{ row: number }>(
      `INSERT INTO resources (group_id, kind, parent_id, id, owner_kind, owner_id, revision, position, created_at, updated_at, document, labels, secrets)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (group_id, kind, parent_id, id) DO UPDATE SET
         owner_kind = excluded.owner_kind, owner_id = excluded.owner_id, revision = excluded.revision, position = excluded.position,
         updated_at = excluded.updated_at, document = excluded.document, labels = excluded.labels,
         secrets = excluded.secrets
       RETURNING row`,
      ...values,
    );
    if (written === undefined) throw new PortcullisError('store_unavailable', { detail: 'a written row was not returned' });
    return written.row;
  }

  /** The resource and all that goes with it, owners before what they own. Each is visited once, so that a ring of owners ends. */
  #withOwned(root: ResourceKey): readonly ResourceKey[] {
    const found = new Map([[JSON.stringify(root), root]]);
    for (const owner of found.values()) {
      // Only what has no parent can own: an owner is named by kind and id alone.
      if (owner.parentId !== '') continue;
      // Named, because without statistics SQLite prefers the index that saves the sorting, and goes through the whole group.
      const owned = this.#database.all<KeyColumns>(
        `SELECT group_id, kind, parent_id, id FROM resources INDEXED BY resources_by_owner
         WHERE group_id = ? AND owner_kind = ? AND owner_id = ? ORDER BY kind, parent_id, id`,
        ...[owner.groupId, owner.kind, owner.id],
      );
      for (const key of owned.map(keyOfRow)) {
        const name = JSON.stringify(key);
        if (!found.has(name)) found.set(name, key);
      }
    }
    return [...found.values()];
  }

  #remove(key: ResourceKey): void {
    const { revision, position } = this.#revisions.next(key.groupId);
    this.#newest = undefined;
    this.#database.run(`DELETE FROM resources WHERE ${KEY}`, ...columnsOfKey(key));
    this.#released.settle(key);
    this.#lists.unlist(key);
    this.#database.run(
      'INSERT INTO resource_removals (group_id, kind, parent_id, id, revision, position, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...[...columnsOfKey(key), revision, position, this.#now],
    );
    this.#addVersion({ key, revision, op: 'delete', document: null, secretPointers: null, secretsSince: null });
  }

  #addVersion(version: Version): void {
    const { key, revision, op } = version;
    this.#database.run(
      `UPDATE resource_versions SET superseded_at = ?, superseded_revision = ? WHERE ${KEY} AND superseded_at IS NULL`,
      ...[this.#now, revision, ...columnsOfKey(key)],
    );
    // Nothing is in force after a delete, so it is superseded at once.
    const superseded = op === 'delete' ? [this.#now, revision] : [null, null];
    this.#database.run(
      `INSERT INTO resource_versions
         (group_id, kind, parent_id, id, revision, op, author_id, author_name, at, document, secret_pointers, secrets_since, origin,
          superseded_at, superseded_revision)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[...columnsOfKey(key), revision, op, this.#author.id, this.#author.name, this.#now],
      ...[version.document, version.secretPointers, version.secretsSince, this.#origin, ...superseded],
    );
  }
}

/** The column `labels`: null for none. */
function labelsColumn(publicText: string): string | null {
  const labels = labelsOf(publicText);
  return labels.length === 0 ? null : JSON.stringify(Object.fromEntries(labels));
}
