import { originOf, originText } from '../change-origin.ts';
import { SharedConflict, UniqueConflict } from '../conflicts.ts';
import type { FieldCipher } from '../field-cipher.ts';
import type { LastChange } from '../history.ts';
import { listingOf } from '../lists/resource-listing.ts';
import { versionOfRow } from '../rows/history-rows.ts';
import { ReleasedValues } from '../rows/released-values.ts';
import { type KeyColumns, keyOfRow, sealSecrets } from '../rows/resource-rows.ts';
import { secretsInForce, secretsSinceColumn } from '../rows/secrets-in-force.ts';
import { assertRevision, labelsOf, secretPointersColumn, withoutRepeats } from '../rows/write-checks.ts';
import { splitSecrets } from '../secret-fields.ts';
import type { Author, ResourceKey, ResourceWrite, SharedValue, StoredResource, UniqueValue } from '../store.ts';
import { allSettled } from './all-settled.ts';
import { findDissenter } from './find-dissenter.ts';
import { type GatheredPut, type GatheredWrite, rowOf, type WriteAuthor, writeGathered, writeValues } from './gathered-writes.ts';
import type { GroupRevisions } from './group-revisions.ts';
import { groupValue, type KnownResource, type KnownResources, type LatestVersion, nameOfKey } from './known-resources.ts';
import { labelsArray } from './list-resources.ts';
import { placeInLists } from './list-writer.ts';
import { readListed } from './listed-resources.ts';
import { assertWellFormed, type PostgresConnection } from './postgres-connection.ts';
import { refreshStatistics } from './refresh-statistics.ts';

/** So many writes, and characters of their documents, are gathered at most. */
const MOST_GATHERED = 500;
const MOST_CHARACTERS = 4_194_304;
/** Names that are shorter fit into an index in any case. */
const SHORT_NAME_BYTES = 2_000;

/** What else is brought to the database at the same time, in two steps. */
interface Alongside {
  first(): Promise<void>;
  second(): Promise<void>;
}

/**
 * The resource writes of one transaction. Conflicts are found before anything is written. Writes are gathered: what they need to know lies in
 * `KnownResources`, and `settle` brings many of them to the database in three round trips. Reads that go to the database come after that.
 */
export class ResourceWriter {
  readonly #cipher: FieldCipher;
  readonly #author: WriteAuthor;
  readonly #revisions: GroupRevisions;
  readonly #known: KnownResources;
  readonly #released = new ReleasedValues();
  /** By `nameOfKey`, in the order of writing. */
  readonly #gathered = new Map<string, GatheredWrite>();
  #characters = 0;
  #settled = 0;
  /** The value about which all who use a shared name agree, by both. */
  readonly #agreed = new Map<string, string>();
  #last: (LastChange & { readonly name: string }) | undefined;

  /** All writes of a transaction bear the same time, `now` (Unix seconds). */
  constructor(cipher: FieldCipher, author: Author, now: number, revisions: GroupRevisions, known: KnownResources) {
    this.#cipher = cipher;
    this.#author = { id: author.id, name: author.name, origin: originText(originOf(author)), now };
    this.#revisions = revisions;
    this.#known = known;
  }

  async put(connection: PostgresConnection, write: ResourceWrite): Promise<StoredResource> {
    const { key, shared = [] } = write;
    const isLong = hasLongName(write);
    if (isLong || this.#gathered.has(nameOfKey(key))) await this.settle(connection);
    const unique = withoutRepeats(write.unique);
    const values = unique.map((value) => groupValue(key.groupId, value));
    await allSettled([this.#known.load(connection, [key], values), this.#revisions.load(connection, key.groupId)]);
    const known = await this.#known.of(connection, key);
    const current = known.resource;
    assertRevision(current, write.expectedRevision);
    for (const value of unique) this.#assertFree(key, value);
    for (const value of shared) await this.#assertAgreed(connection, key, value, current?.row);
    if (write.owner !== undefined) assertWellFormed(write.owner.id);

    const stored = await this.#gather(connection, { ...write, unique, shared }, known);
    // A name that the database refuses is to be refused here.
    if (isLong || this.#gathered.size >= MOST_GATHERED || this.#characters >= MOST_CHARACTERS) await this.settle(connection);
    return stored;
  }

  async delete(connection: PostgresConnection, key: ResourceKey, expectedRevision: number | undefined): Promise<boolean> {
    const { resource } = await this.#known.of(connection, key);
    assertRevision(resource, expectedRevision);
    if (resource === undefined) return false;
    // What is owned goes before its owner, so that no change ever leaves something without one.
    await this.#remove(connection, (await this.#withOwned(connection, key)).toReversed());
    return true;
  }

  /** Deletes one resource and leaves what it owns. */
  async deleteAlone(connection: PostgresConnection, key: ResourceKey): Promise<boolean> {
    if ((await this.#known.of(connection, key)).resource === undefined) return false;
    await this.#remove(connection, [key]);
    return true;
  }

  async release(connection: PostgresConnection, key: ResourceKey): Promise<void> {
    if (this.#gathered.has(nameOfKey(key))) await this.settle(connection);
    const { resource, latest } = await this.#known.of(connection, key);
    if (resource?.row === undefined) return;
    await connection.run('DELETE FROM unique_values WHERE resource_row = $1', resource.row);
    this.#known.note(key, { resource: { ...resource, unique_list: '[]' }, latest });
    this.#released.add(key);
  }

  /** @throws Error as `ReleasedValues.assertSettled` */
  assertComplete(): void {
    this.#released.assertSettled();
  }

  /** What the last write of this transaction changed; undefined when it was that of another resource. */
  lastChangeOf(key: ResourceKey): LastChange | undefined {
    return this.#last?.name === nameOfKey(key) ? this.#last : undefined;
  }

  /** Brings what was gathered to the database, with its lists. */
  async settle(connection: PostgresConnection, alongside?: Alongside): Promise<void> {
    const writes = [...this.#gathered.values()];
    this.#gathered.clear();
    this.#characters = 0;
    const groups = [...Map.groupBy(writes, ({ key }) => key.groupId)];
    const [rows, listed] = await allSettled([
      writes.length === 0 ? new Map<string, number>() : this.#write(connection, writes),
      allSettled(
        groups.map(([groupId, ofGroup]) =>
          readListed(
            connection,
            groupId,
            ofGroup.map(({ key }) => key),
          ),
        ),
      ),
      alongside?.first(),
    ]);
    for (const { key } of writes) this.#known.number(key, rows.get(nameOfKey(key)));
    await allSettled([
      writeValues(connection, writes, rows),
      ...groups.map(([groupId, ofGroup], index) =>
        placeInLists(
          connection,
          groupId,
          ofGroup.map((write) => ({
            key: write.key,
            listing: write.op === 'put' ? listingOfPut(write, rowOf(rows, write.key)) : undefined,
          })),
          listed[index] ?? new Map(),
        ),
      ),
      alongside?.second(),
    ]);
    const before = this.#settled;
    this.#settled += writes.length;
    if (before < MOST_GATHERED && this.#settled >= MOST_GATHERED) await refreshStatistics(connection);
  }

  /** Forgets what is known. Everything must be settled. */
  forget(): void {
    this.#known.clear();
    this.#agreed.clear();
  }

  async #write(connection: PostgresConnection, writes: readonly GatheredWrite[]): Promise<ReadonlyMap<string, number>> {
    const [, rows] = await allSettled([this.#revisions.settle(connection), writeGathered(connection, writes, this.#author)]);
    return rows;
  }

  async #gather(
    connection: PostgresConnection,
    write: ResourceWrite & Required<Pick<ResourceWrite, 'shared'>>,
    known: KnownResource,
  ): Promise<StoredResource> {
    const { key, unique, shared, owner } = write;
    const current = known.resource;
    const split = splitSecrets(write.document, write.secretPointers);
    const sealed = sealSecrets(key, split.secrets, this.#cipher);
    const inForce = current === undefined ? new Map() : secretsInForce(this.#cipher, key, current, known.latest);
    const { revision, position } = await this.#revisions.next(connection, key.groupId);
    const createdAt = current?.created_at ?? this.#author.now;
    const secretPointers = secretPointersColumn(split.secrets);
    const secretsSince = secretsSinceColumn(split.secrets, inForce, revision);
    const put: GatheredPut = {
      ...{ op: 'put', key, revision, position, formerRow: current?.row, owner, createdAt, text: split.text, publicText: split.publicText },
      ...{ labels: labelsColumn(split.publicText), sealed, unique, shared, secretPointers, secretsSince },
    };
    this.#gathered.set(nameOfKey(key), put);
    this.#characters += split.text.length + split.publicText.length;
    this.#released.settle(key);
    for (const value of shared) this.#agreed.set(nameOfShared(key.groupId, value), value.value.toString('hex'));
    const latest = this.#versionOf(put);
    this.#noteChange(key, known, latest);
    this.#known.note(key, { resource: { ...rowOfPut(put, this.#author.now), row: current?.row }, latest });
    return { key, document: write.document, revision, createdAt, updatedAt: this.#author.now, unique };
  }

  async #remove(connection: PostgresConnection, keys: readonly ResourceKey[]): Promise<void> {
    if (keys.some((key) => this.#gathered.has(nameOfKey(key)))) await this.settle(connection);
    for (const key of keys) {
      const position = await this.#revisions.next(connection, key.groupId);
      const gone: GatheredWrite = { op: 'delete', key, ...position };
      const known = this.#known.peek(key);
      const latest = this.#versionOf(gone);
      this.#gathered.set(nameOfKey(key), gone);
      this.#released.settle(key);
      this.#noteChange(key, known, latest);
      this.#known.note(key, { resource: undefined, latest });
    }
    if (this.#gathered.size >= MOST_GATHERED) await this.settle(connection);
  }

  /** The resource and all that goes with it, owners before what they own. Each is visited once, so that a ring of owners ends. */
  async #withOwned(connection: PostgresConnection, root: ResourceKey): Promise<readonly ResourceKey[]> {
    const found = new Map([[nameOfKey(root), root]]);
    for (let owners: readonly ResourceKey[] = [root]; owners.length > 0; ) {
      // Only what has no parent can own: an owner is named by kind and id alone.
      const owning = owners.filter(({ parentId }) => parentId === '');
      if (owning.length === 0) break;
      // Who owns what is asked of the database, which must know it; what is gone already is known here.
      if ([...this.#gathered.values()].some(({ op }) => op === 'put')) await this.settle(connection);
      const owned = await connection.all<KeyColumns>(
        `SELECT group_id, resources.kind, parent_id, resources.id
         FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS owner (kind, id, place)
         JOIN resources ON group_id = $1 AND owner_kind = owner.kind COLLATE "C" AND owner_id = owner.id COLLATE "C"
         ORDER BY place, resources.kind, parent_id, resources.id`,
        ...[root.groupId, owning.map(({ kind }) => kind), owning.map(({ id }) => id)],
      );
      owners = owned.map(keyOfRow).filter((key) => !found.has(nameOfKey(key)) && !this.#gathered.has(nameOfKey(key)));
      for (const key of owners) found.set(nameOfKey(key), key);
    }
    return [...found.values()];
  }

  #assertFree(key: ResourceKey, value: UniqueValue): void {
    const holder = this.#known.holderOf(groupValue(key.groupId, value));
    if (holder !== undefined && nameOfKey(holder) !== nameOfKey(key)) throw new UniqueConflict(value.space, holder);
  }

  async #assertAgreed(connection: PostgresConnection, key: ResourceKey, value: SharedValue, ownRow: number | undefined): Promise<void> {
    // Whoever has written since has agreed as well.
    if (this.#agreed.get(nameOfShared(key.groupId, value)) === value.value.toString('hex')) return;
    if (this.#gathered.size > 0) await this.settle(connection);
    const dissenter = await findDissenter(connection, key.groupId, value, ownRow);
    if (dissenter !== undefined) throw new SharedConflict(value.space, keyOfRow(dissenter));
  }

  #noteChange(key: ResourceKey, before: KnownResource | undefined, to: LatestVersion): void {
    const isNew = to.op === 'put' && before?.resource === undefined;
    const from = isNew ? undefined : before?.latest;
    this.#last = { name: nameOfKey(key), to: stateOf(to), from: from && stateOf(from) };
  }

  #versionOf(write: GatheredWrite): LatestVersion {
    const { groupId, kind, parentId, id } = write.key;
    const { id: author_id, name: author_name, now, origin } = this.#author;
    return {
      ...{ number: undefined, group_id: groupId, kind, parent_id: parentId, id, revision: write.revision, op: write.op },
      ...{ author_id, author_name, at: now, origin },
      document: write.op === 'put' ? write.publicText : null,
      secret_pointers: write.op === 'put' ? write.secretPointers : null,
      secrets_since: write.op === 'put' ? write.secretsSince : null,
    };
  }
}

/** The number does not matter to what a version says. */
function stateOf(version: LatestVersion): LastChange['to'] {
  return versionOfRow({ ...version, number: version.number ?? 0 });
}

function rowOfPut({ key, revision, position, createdAt, text, sealed, unique }: GatheredPut, now: number) {
  const list = unique.map(({ space, digest }) => [space, digest.toString('hex')] as const);
  const unique_list = JSON.stringify(list.toSorted((one, other) => compareTexts(one[0], other[0]) || compareTexts(one[1], other[1])));
  return {
    ...{ group_id: key.groupId, kind: key.kind, parent_id: key.parentId, id: key.id, revision, position },
    ...{ created_at: createdAt, updated_at: now, document: text, secrets: sealed, unique_list },
  };
}

function listingOfPut({ key, revision, position, owner, publicText }: GatheredPut, row: number) {
  return listingOf({
    ...{ row, group_id: key.groupId, kind: key.kind, parent_id: key.parentId, id: key.id, revision, position },
    ...{ owner_kind: owner?.kind ?? null, owner_id: owner?.id ?? null, document: publicText },
  });
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function hasLongName({ key, owner }: ResourceWrite): boolean {
  return Buffer.byteLength(`${key.groupId}${key.kind}${key.parentId}${key.id}${owner?.id ?? ''}`) > SHORT_NAME_BYTES;
}

function nameOfShared(groupId: string, { space, name }: SharedValue): string {
  return JSON.stringify([groupId, space, name.toString('hex')]);
}

/** The column `labels`: null for none. */
function labelsColumn(publicText: string): readonly string[] | null {
  const labels = labelsOf(publicText);
  return labels.length === 0 ? null : labelsArray(labels);
}
