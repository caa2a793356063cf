import { VERSION_HEAD_COLUMNS, type VersionRow } from '../rows/history-rows.ts';
import { type KeyColumns, keyOfRow, type ResourceRow } from '../rows/resource-rows.ts';
import type { ResourceKey, UniqueValue } from '../store.ts';
import { allSettled } from './all-settled.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { RESOURCE_COLUMNS } from './resource-columns.ts';

/** A resource as it is now in this transaction. */
export interface KnownRow extends ResourceRow {
  /** Its number; undefined as long as the database has not given it one. */
  readonly row: number | undefined;
}

/** The latest version of a resource; without a number as long as it is not in the database. */
export type LatestVersion = Omit<VersionRow, 'number'> & { readonly number: number | undefined };

/** What a transaction knows of one resource: undefined for what is not there. */
export interface KnownResource {
  readonly resource: KnownRow | undefined;
  readonly latest: LatestVersion | undefined;
}

const NOTHING: KnownResource = { resource: undefined, latest: undefined };

/**
 * What a transaction has read and written of resources and their unique values, so that each is read once, and many in one round trip. It
 * stays true until the transaction ends, for nobody else writes while that has the lock.
 *
 * What the database says may be older than what is known here: writes are gathered. So whatever is written is noted here first, and is
 * forgotten only once the database has it.
 */
export class KnownResources {
  readonly #resources = new Map<string, KnownResource>();
  /** Who holds a value; undefined for nobody. */
  readonly #holders = new Map<string, ResourceKey | undefined>();

  /** What is known, without asking. */
  peek(key: ResourceKey): KnownResource | undefined {
    return this.#resources.get(nameOfKey(key));
  }

  async of(connection: PostgresConnection, key: ResourceKey): Promise<KnownResource> {
    const known = this.peek(key);
    if (known !== undefined) return known;
    await this.load(connection, [key], []);
    return this.peek(key) ?? NOTHING;
  }

  /** Reads what is not known yet. */
  async load(connection: PostgresConnection, keys: readonly ResourceKey[], values: readonly GroupValue[]): Promise<void> {
    const wanted = [...new Map(keys.map((key) => [nameOfKey(key), key])).entries()].filter(([name]) => !this.#resources.has(name));
    const unknown = values.filter((value) => !this.#holders.has(nameOfValue(value)));
    const [resources, versions, holders] = await allSettled([
      wanted.length === 0 ? [] : readResources(connection, columnsOf(wanted.map(([, key]) => key))),
      wanted.length === 0 ? [] : readLatest(connection, columnsOf(wanted.map(([, key]) => key))),
      unknown.length === 0 ? [] : readHolders(connection, unknown),
    ]);
    const rows = new Map(resources.map((row) => [nameOfKey(keyOfRow(row)), row]));
    const latest = new Map(versions.map((row) => [nameOfKey(keyOfRow(row)), row]));
    for (const [name] of wanted) this.#resources.set(name, { resource: rows.get(name), latest: latest.get(name) });
    const found = new Map(holders.map((row) => [nameOfValue({ groupId: row.group_id, space: row.space, hex: row.hex }), keyOfRow(row)]));
    for (const value of unknown) {
      const name = nameOfValue(value);
      const holder = found.get(name);
      this.#holders.set(name, holder !== undefined && this.#hasLost(holder, value) ? undefined : holder);
    }
  }

  /** Who holds a value; it must have been loaded. */
  holderOf(value: GroupValue): ResourceKey | undefined {
    const holder = this.#holders.get(nameOfValue(value));
    // What goes with its owner goes without its values being known.
    return holder === undefined || this.#isGone(holder) ? undefined : holder;
  }

  /** A resource is written, or gone: what it held is free, and what it holds is its own. */
  note(key: ResourceKey, now: KnownResource): void {
    const before = this.peek(key)?.resource;
    for (const value of valuesOf(before)) {
      const holder = this.#holders.get(nameOfValue(value));
      if (holder !== undefined && nameOfKey(holder) === nameOfKey(key)) this.#holders.set(nameOfValue(value), undefined);
    }
    this.#resources.set(nameOfKey(key), now);
    for (const value of valuesOf(now.resource)) this.#holders.set(nameOfValue(value), key);
  }

  /** The number that the database gave a resource. */
  number(key: ResourceKey, row: number | undefined): void {
    const known = this.peek(key);
    if (known?.resource !== undefined) this.#resources.set(nameOfKey(key), { ...known, resource: { ...known.resource, row } });
  }

  /** Everything is in the database, and is read anew. */
  clear(): void {
    this.#resources.clear();
    this.#holders.clear();
  }

  #isGone(key: ResourceKey): boolean {
    const known = this.peek(key);
    return known !== undefined && known.resource === undefined;
  }

  /** Whether a holder by the database holds the value no longer. */
  #hasLost(holder: ResourceKey, { space, hex }: GroupValue): boolean {
    const known = this.peek(holder);
    return known !== undefined && !valuesOf(known.resource).some((value) => value.space === space && value.hex === hex);
  }
}

/** A unique value of a group, its digest in hex. */
export interface GroupValue {
  readonly groupId: string;
  readonly space: string;
  readonly hex: string;
}

/** Names a resource, for a map. */
export function nameOfKey({ groupId, kind, parentId, id }: ResourceKey): string {
  return JSON.stringify([groupId, kind, parentId, id]);
}

/** A value as it is looked up. */
export function groupValue(groupId: string, { space, digest }: UniqueValue): GroupValue {
  return { groupId, space, hex: digest.toString('hex') };
}

/** The columns of keys, an array for each: `group_id, kind, parent_id, id`. */
export function columnsOf(keys: readonly ResourceKey[]): readonly (readonly string[])[] {
  return [keys.map(({ groupId }) => groupId), keys.map(({ kind }) => kind), keys.map(({ parentId }) => parentId), keys.map(({ id }) => id)];
}

function nameOfValue({ groupId, space, hex }: GroupValue): string {
  return `${hex} ${JSON.stringify([groupId, space])}`;
}

function valuesOf(row: KnownRow | undefined): readonly GroupValue[] {
  if (row === undefined || row.unique_list === '[]') return [];
  const list: readonly (readonly [string, string])[] = JSON.parse(row.unique_list);
  return list.map(([space, hex]) => ({ groupId: row.group_id, space, hex }));
}

const WANTED = 'unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS wanted (group_id, kind, parent_id, id)';

function readResources(connection: PostgresConnection, columns: readonly (readonly string[])[]): Promise<KnownRow[]> {
  return connection.all<KnownRow>(
    `SELECT found.* FROM ${WANTED}, LATERAL (SELECT resources.row, ${RESOURCE_COLUMNS} FROM resources
       WHERE resources.group_id = wanted.group_id COLLATE "C" AND resources.kind = wanted.kind COLLATE "C"
         AND resources.parent_id = wanted.parent_id COLLATE "C" AND resources.id = wanted.id COLLATE "C") AS found`,
    ...columns,
  );
}

function readLatest(connection: PostgresConnection, columns: readonly (readonly string[])[]): Promise<VersionRow[]> {
  return connection.all<VersionRow>(
    `SELECT found.* FROM ${WANTED}, LATERAL (SELECT ${VERSION_HEAD_COLUMNS}, document FROM resource_versions
       WHERE resource_versions.group_id = wanted.group_id COLLATE "C" AND resource_versions.kind = wanted.kind COLLATE "C"
         AND resource_versions.parent_id = wanted.parent_id COLLATE "C" AND resource_versions.id = wanted.id COLLATE "C"
       ORDER BY number DESC LIMIT 1) AS found`,
    ...columns,
  );
}

function readHolders(
  connection: PostgresConnection,
  values: readonly GroupValue[],
): Promise<(KeyColumns & { readonly space: string; readonly hex: string })[]> {
  return connection.all(
    `SELECT resources.group_id, resources.kind, resources.parent_id, resources.id, wanted.space, wanted.hex
     FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (group_id, space, hex)
     JOIN unique_values ON unique_values.group_id = wanted.group_id COLLATE "C" AND unique_values.space = wanted.space COLLATE "C"
       AND digest = decode(wanted.hex, 'hex')
     JOIN resources ON resources.row = resource_row`,
    ...[values.map(({ groupId }) => groupId), values.map(({ space }) => space), values.map(({ hex }) => hex)],
  );
}
