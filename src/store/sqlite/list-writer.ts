import { needsBlocks } from '../lists/block-sizes.ts';
import { WHOLE_KIND } from '../lists/list-facet.ts';
import type { ResourceListing } from '../lists/resource-listing.ts';
import { SORTS } from '../lists/sort-key.ts';
import type { ListOrder, ResourceKey } from '../store.ts';
import { makeBlocks } from './list-blocks.ts';
import { PendingCounts } from './pending-counts.ts';
import { insertListing } from './rebuild-lists.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

interface ListedRow {
  readonly group_id: string;
  readonly kind: string;
  readonly resource_row: number;
  readonly updated_key: string;
  readonly created_key: string;
  readonly name_key: string;
  readonly facets: string;
}

interface ListRow {
  readonly list: number;
  readonly entries: number;
  readonly has_blocks: number;
}

type SortKeys = ResourceListing['keys'];

const ORDERS: readonly ListOrder[] = ['updated', 'created', 'name'];
const LISTED_COLUMNS = 'group_id, kind, resource_row, updated_key, created_key, name_key, facets';

/** Keeps the lists in step with what is written; `settle` comes last. What an update leaves as it was costs nothing. */
export class ListWriter {
  readonly #database: SqliteDatabase;
  readonly #counts: PendingCounts;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#counts = new PendingCounts(database);
  }

  /** Completes what was written; until then parts of long lists may be read wrongly. */
  settle(): void {
    this.#counts.apply();
  }

  /** Brings a resource to its places in all lists, from wherever it stood. */
  list(listing: ResourceListing): void {
    const listed = this.#byKey(listing);
    if (listed !== undefined && listed.resource_row === listing.row) {
      this.#move(listed, listing);
      return;
    }
    if (listed !== undefined) this.#remove(listed);
    // SQLite gives the number of a deleted row to a new one.
    const before = this.#database.get<ListedRow>(
      `SELECT ${LISTED_COLUMNS} FROM listed_resources WHERE group_id = ? AND kind = ? AND resource_row = ?`,
      ...[listing.groupId, listing.kind, listing.row],
    );
    if (before !== undefined) this.#remove(before);
    for (const facet of [WHOLE_KIND, ...listing.facets]) this.#enter(listing, facet, listing.keys);
    insertListing(this.#database, listing);
  }

  /** Takes a resource out of all lists. */
  unlist(key: ResourceKey): void {
    const listed = this.#byKey(key);
    if (listed !== undefined) this.#remove(listed);
  }

  #byKey(key: Pick<ResourceKey, 'groupId' | 'kind' | 'parentId' | 'id'>): ListedRow | undefined {
    return this.#database.get<ListedRow>(
      `SELECT ${LISTED_COLUMNS} FROM listed_resources WHERE group_id = ? AND kind = ? AND parent_id = ? AND id = ?`,
      ...[key.groupId, key.kind, key.parentId, key.id],
    );
  }

  #move(listed: ListedRow, listing: ResourceListing): void {
    const before = keysOf(listed);
    const changed = ORDERS.filter((order) => before[order] !== listing.keys[order]);
    const facetsBefore = new Set([WHOLE_KIND, ...facetsOf(listed)]);
    const facets = new Set([WHOLE_KIND, ...listing.facets]);
    for (const facet of facetsBefore) if (!facets.has(facet)) this.#leave(listing, facet, before);
    for (const facet of facets) {
      if (!facetsBefore.has(facet)) this.#enter(listing, facet, listing.keys);
      else this.#moveWithin(this.#listOf(listing, facet), changed, before, listing.keys);
    }
    this.#database.run(
      `UPDATE listed_resources SET updated_key = ?, name_key = ?, facets = ?, label_names = ?, search_text = ?
       WHERE group_id = ? AND kind = ? AND resource_row = ?`,
      ...[listing.keys.updated, listing.keys.name, JSON.stringify(listing.facets), listing.labelNames, listing.searchText],
      ...[listing.groupId, listing.kind, listing.row],
    );
  }

  #remove(listed: ListedRow): void {
    const place = { groupId: listed.group_id, kind: listed.kind, row: listed.resource_row };
    for (const facet of [WHOLE_KIND, ...facetsOf(listed)]) this.#leave(place, facet, keysOf(listed));
    this.#database.run(
      'DELETE FROM listed_resources WHERE group_id = ? AND kind = ? AND resource_row = ?',
      ...[place.groupId, place.kind, place.row],
    );
  }

  #enter(place: Pick<ResourceListing, 'groupId' | 'kind' | 'row'>, facet: string, keys: SortKeys): void {
    const list = this.#database.get<ListRow>(
      `INSERT INTO resource_lists (group_id, kind, facet, entries, has_blocks) VALUES (?, ?, ?, 1, 0)
       ON CONFLICT (group_id, kind, facet) DO UPDATE SET entries = entries + 1 RETURNING list, entries, has_blocks`,
      ...[place.groupId, place.kind, facet],
    );
    if (list === undefined) throw new Error('a written list was not returned');
    for (const order of ORDERS) {
      this.#database.run(
        'INSERT INTO list_entries (list, sort, sort_key, resource_row) VALUES (?, ?, ?, ?)',
        ...[list.list, SORTS[order], keys[order], place.row],
      );
      if (list.has_blocks === 1) this.#counts.add(list.list, SORTS[order], keys[order], 1);
      else if (needsBlocks(list.entries)) makeBlocks(this.#database, list.list, SORTS[order], list.entries);
    }
    if (list.has_blocks === 0 && needsBlocks(list.entries)) {
      this.#database.run('UPDATE resource_lists SET has_blocks = 1 WHERE list = ?', list.list);
    }
  }

  #leave(place: Pick<ResourceListing, 'groupId' | 'kind'>, facet: string, keys: SortKeys): void {
    const list = this.#listOf(place, facet);
    for (const order of ORDERS) {
      this.#database.run('DELETE FROM list_entries WHERE list = ? AND sort = ? AND sort_key = ?', list.list, SORTS[order], keys[order]);
      if (list.has_blocks === 1) this.#counts.add(list.list, SORTS[order], keys[order], -1);
    }
    if (list.entries > 1) {
      this.#database.run('UPDATE resource_lists SET entries = entries - 1 WHERE list = ?', list.list);
      return;
    }
    this.#counts.forget(list.list);
    this.#database.run('DELETE FROM list_blocks WHERE list = ?', list.list);
    this.#database.run('DELETE FROM resource_lists WHERE list = ?', list.list);
  }

  #moveWithin(list: ListRow, orders: readonly ListOrder[], from: SortKeys, to: SortKeys): void {
    for (const order of orders) {
      this.#database.run(
        'UPDATE list_entries SET sort_key = ? WHERE list = ? AND sort = ? AND sort_key = ?',
        ...[to[order], list.list, SORTS[order], from[order]],
      );
      if (list.has_blocks === 0) continue;
      this.#counts.add(list.list, SORTS[order], from[order], -1);
      this.#counts.add(list.list, SORTS[order], to[order], 1);
    }
  }

  #listOf(place: Pick<ResourceListing, 'groupId' | 'kind'>, facet: string): ListRow {
    const list = this.#database.get<ListRow>(
      'SELECT list, entries, has_blocks FROM resource_lists WHERE group_id = ? AND kind = ? AND facet = ?',
      ...[place.groupId, place.kind, facet],
    );
    if (list === undefined) throw new Error('a listed resource has no list');
    return list;
  }
}

function keysOf(listed: ListedRow): SortKeys {
  return { updated: listed.updated_key, created: listed.created_key, name: listed.name_key };
}

function facetsOf(listed: ListedRow): readonly string[] {
  return JSON.parse(listed.facets);
}
