import { needsBlocks } from '../lists/block-sizes.ts';
import { type ListChange, type ListedPlace, listingChanges } from '../lists/listing-changes.ts';
import type { ResourceListing } from '../lists/resource-listing.ts';
import type { ResourceKey } from '../store.ts';
import { allSettled } from './all-settled.ts';
import { applyCounts, makeBlocks } from './list-blocks.ts';
import { readListed, writeListed } from './listed-resources.ts';
import type { PostgresConnection } from './postgres-connection.ts';

interface ListRow {
  readonly list: number;
  readonly kind: string;
  readonly facet: string;
  readonly entries: number;
  readonly has_blocks: number;
}

/** A list with what changes in it. */
interface ChangedList {
  readonly row: ListRow;
  readonly change: ListChange;
}

/** So many resources are brought to their places at once. */
const MOST_PENDING = 1_000;

/**
 * Keeps the lists in step with what is written. Writes are gathered, and a handful of statements brings all of them to their places: a
 * transaction of one write takes as many round trips for its lists as one of a thousand.
 */
export class ListWriter {
  /** By group, then by key: where a resource is to stand, or that it is gone. */
  readonly #pending = new Map<string, Map<string, { readonly key: ResourceKey; readonly listing: ResourceListing | undefined }>>();

  /** A resource has its place in lists; it gets there by `settle`. */
  async list(connection: PostgresConnection, listing: ResourceListing): Promise<void> {
    const { groupId, kind, parentId, id } = listing;
    await this.#note(connection, { groupId, kind, parentId, id }, listing);
  }

  /** A resource is in no list any longer. */
  async unlist(connection: PostgresConnection, key: ResourceKey): Promise<void> {
    await this.#note(connection, key, undefined);
  }

  /** Completes the lists; until then they are those from before. */
  async settle(connection: PostgresConnection): Promise<void> {
    for (const [groupId, pending] of this.#pending) {
      this.#pending.delete(groupId);
      const moves = [...pending.values()];
      const keys = moves.map(({ key }) => key);
      await placeInLists(connection, groupId, moves, await readListed(connection, groupId, keys));
    }
  }

  async #note(connection: PostgresConnection, key: ResourceKey, listing: ResourceListing | undefined): Promise<void> {
    const pending = this.#pending.get(key.groupId) ?? new Map();
    this.#pending.set(key.groupId, pending);
    pending.set(JSON.stringify([key.kind, key.parentId, key.id]), { key, listing });
    if (pending.size >= MOST_PENDING) await this.settle(connection);
  }
}

/** Brings resources of a group from where they stood, by `readListed`, to where they are to stand; one without a listing is gone. */
export async function placeInLists(
  connection: PostgresConnection,
  groupId: string,
  pending: readonly { readonly key: ResourceKey; readonly listing: ResourceListing | undefined }[],
  listed: ReadonlyMap<string, ListedPlace>,
): Promise<void> {
  const moves = pending.map(({ key, listing }) => ({ from: listed.get(JSON.stringify([key.kind, key.parentId, key.id])), to: listing }));
  const lists = await countLists(connection, groupId, listingChanges(moves));
  await allSettled([
    writeEntries(connection, lists),
    writeListed(connection, groupId, {
      gone: pending.filter(({ listing }) => listing === undefined).map(({ key }) => key),
      come: pending.flatMap(({ listing }) => listing ?? []),
    }),
    settleBlocks(connection, lists),
  ]);
}

/** Counts each list up or down, makes those that are new, and finds the others. */
async function countLists(
  connection: PostgresConnection,
  groupId: string,
  changes: readonly ListChange[],
): Promise<readonly ChangedList[]> {
  const rows = await connection.all<ListRow>(
    `WITH changes AS (SELECT * FROM unnest($2::text[], $3::text[], $4::integer[]) AS change (kind, facet, grown_by)),
     counted AS (
       INSERT INTO resource_lists AS kept (group_id, kind, facet, entries, has_blocks)
       SELECT $1, kind, facet, grown_by, 0 FROM changes WHERE grown_by <> 0
       ON CONFLICT (group_id, kind, facet) DO UPDATE SET entries = kept.entries + excluded.entries
       RETURNING list, kind, facet, entries, has_blocks)
     SELECT list, kind, facet, entries, has_blocks FROM counted
     UNION ALL SELECT list, kept.kind, kept.facet, entries, has_blocks FROM changes JOIN resource_lists AS kept
       ON group_id = $1 AND kept.kind = changes.kind COLLATE "C" AND kept.facet = changes.facet COLLATE "C" WHERE grown_by = 0`,
    groupId,
    ...[changes.map(({ kind }) => kind), changes.map(({ facet }) => facet), changes.map(({ grownBy }) => String(grownBy))],
  );
  const found = new Map(rows.map((row) => [JSON.stringify([row.kind, row.facet]), row]));
  return changes.map((change) => {
    const row = found.get(JSON.stringify([change.kind, change.facet]));
    if (row === undefined) throw new Error('a listed resource has no list');
    return { row, change };
  });
}

async function writeEntries(connection: PostgresConnection, lists: readonly ChangedList[]): Promise<void> {
  const gone = lists.flatMap(({ row: { list }, change }) => change.gone.map((entry) => ({ list, ...entry })));
  const come = lists.flatMap(({ row: { list }, change }) => change.come.map((entry) => ({ list, ...entry })));
  const emptied = lists.filter(({ row }) => row.entries <= 0).map(({ row }) => String(row.list));
  await connection.run(
    `WITH gone AS (
       DELETE FROM list_entries AS entry USING unnest($1::bigint[], $2::integer[], $3::text[]) AS gone (list, sort, sort_key)
       WHERE entry.list = gone.list AND entry.sort = gone.sort AND entry.sort_key = gone.sort_key COLLATE "C"),
     emptied AS (DELETE FROM resource_lists WHERE list = ANY ($4::bigint[])),
     emptied_blocks AS (DELETE FROM list_blocks WHERE list = ANY ($4::bigint[]))
     INSERT INTO list_entries (list, sort, sort_key, resource_row) SELECT * FROM unnest($5::bigint[], $6::integer[], $7::text[], $8::bigint[])`,
    ...[gone.map(({ list }) => String(list)), gone.map(({ sort }) => String(sort)), gone.map(({ key }) => key), emptied],
    ...[come.map(({ list }) => String(list)), come.map(({ sort }) => String(sort)), come.map(({ key }) => key)],
    come.map(({ row }) => String(row)),
  );
}

async function settleBlocks(connection: PostgresConnection, lists: readonly ChangedList[]): Promise<void> {
  const long = lists.filter(({ row }) => row.entries > 0);
  await applyCounts(
    connection,
    long
      .filter(({ row }) => row.has_blocks === 1)
      .flatMap(({ row: { list }, change }) => [
        ...change.gone.map(({ sort, key }) => ({ list, sort, key, by: -1 })),
        ...change.come.map(({ sort, key }) => ({ list, sort, key, by: 1 })),
      ]),
  );
  await makeBlocks(
    connection,
    long.filter(({ row }) => row.has_blocks === 0 && needsBlocks(row.entries)).map(({ row }) => row.list),
  );
}
