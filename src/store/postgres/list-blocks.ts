import { BEFORE_ALL, FEWEST_ENTRIES, MOST_ENTRIES, MOST_JOINED_ENTRIES, USUAL_ENTRIES } from '../lists/block-sizes.ts';
import { SORTS } from '../lists/sort-key.ts';
import type { PostgresConnection } from './postgres-connection.ts';

/** Entries that came to a key of one order of a list, or left it. */
export interface CountChange {
  readonly list: number;
  readonly sort: number;
  readonly key: string;
  readonly by: number;
}

interface BlockRow {
  readonly list: number;
  readonly sort: number;
  readonly first_key: string;
  readonly entries: number;
}

/** Makes the blocks of lists from their entries. */
export async function makeBlocks(connection: PostgresConnection, lists: readonly number[]): Promise<void> {
  if (lists.length === 0) return;
  await connection.run(
    `INSERT INTO list_blocks (list, sort, first_key, entries)
     SELECT list, sort, CASE place WHEN 0 THEN $3 ELSE sort_key END, least($2, count - place) FROM (
       SELECT list, sort, sort_key, row_number() OVER (PARTITION BY list, sort ORDER BY sort_key) - 1 AS place,
         count(*) OVER (PARTITION BY list, sort) AS count
       FROM list_entries WHERE list = ANY ($1::bigint[]) AND sort = ANY ($4::integer[])) AS placed
     WHERE place % $2 = 0`,
    ...[lists.map(String), USUAL_ENTRIES, BEFORE_ALL, Object.values(SORTS).map(String)],
  );
  await connection.run('UPDATE resource_lists SET has_blocks = 1 WHERE list = ANY ($1::bigint[])', lists.map(String));
}

/** Counts entries in and out of lists with blocks. The entries themselves are as they will be. */
export async function applyCounts(connection: PostgresConnection, changes: readonly CountChange[]): Promise<void> {
  if (changes.length === 0) return;
  const counted = await connection.all<BlockRow & { readonly by: number }>(
    `UPDATE list_blocks AS block SET entries = block.entries + counted.by FROM (
       SELECT change.list, change.sort, found.first_key, sum(change.by)::integer AS by
       FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::integer[]) AS change (list, sort, sort_key, by),
         LATERAL (SELECT first_key FROM list_blocks AS each WHERE each.list = change.list AND each.sort = change.sort
           AND each.first_key <= change.sort_key COLLATE "C" ORDER BY first_key DESC LIMIT 1) AS found
       GROUP BY change.list, change.sort, found.first_key) AS counted
     WHERE block.list = counted.list AND block.sort = counted.sort AND block.first_key = counted.first_key
     RETURNING block.list, block.sort, block.first_key, block.entries, counted.by`,
    ...[changes.map(({ list }) => String(list)), changes.map(({ sort }) => String(sort))],
    ...[changes.map(({ key }) => key), changes.map(({ by }) => String(by))],
  );
  for (const block of counted) if (block.entries > MOST_ENTRIES) await partBlock(connection, block);
  // One that grew is as small as it was made, at the end of a list.
  for (const block of counted) if (block.entries < FEWEST_ENTRIES && block.by < 0) await joinBlock(connection, block);
}

/** The block that holds the entry at a place, counted from 0, and the place of its first entry. */
export async function blockAt(
  connection: PostgresConnection,
  list: number,
  sort: number,
  place: number,
): Promise<{ readonly firstKey: string; readonly firstPlace: number }> {
  const block = await connection.get<{ first_key: string; before: number }>(
    `SELECT first_key, before FROM (
       SELECT first_key, sum(entries) OVER (ORDER BY first_key) - entries AS before FROM list_blocks WHERE list = $1 AND sort = $2) AS placed
     WHERE before <= $3 ORDER BY first_key DESC LIMIT 1`,
    ...[list, sort, place],
  );
  return { firstKey: block?.first_key ?? BEFORE_ALL, firstPlace: block?.before ?? 0 };
}

async function partBlock(connection: PostgresConnection, { list, sort, first_key, entries }: BlockRow): Promise<void> {
  await connection.run(
    `INSERT INTO list_blocks (list, sort, first_key, entries)
     SELECT $1, $2, CASE place WHEN 0 THEN $3 ELSE sort_key END, least($5, $4 - place) FROM (
       SELECT sort_key, row_number() OVER (ORDER BY sort_key) - 1 AS place FROM (
         SELECT sort_key FROM list_entries WHERE list = $1 AND sort = $2 AND sort_key >= $3 ORDER BY sort_key LIMIT $4) AS part) AS placed
     WHERE place % $5 = 0
     ON CONFLICT (list, sort, first_key) DO UPDATE SET entries = excluded.entries`,
    ...[list, sort, first_key, entries, USUAL_ENTRIES],
  );
}

/** Joins a block with the next where both fit into one; goes where it is empty. It may be gone already, joined with the one before. */
async function joinBlock(connection: PostgresConnection, { list, sort, first_key }: BlockRow): Promise<void> {
  const [block, next] = await connection.all<BlockRow>(
    `SELECT list, sort, first_key, entries FROM list_blocks WHERE list = $1 AND sort = $2 AND first_key >= $3 ORDER BY first_key LIMIT 2`,
    ...[list, sort, first_key],
  );
  if (block?.first_key !== first_key) return;
  if (next !== undefined && block.entries + next.entries <= MOST_JOINED_ENTRIES) {
    await deleteBlock(connection, next);
    await connection.run(
      'UPDATE list_blocks SET entries = $4 WHERE list = $1 AND sort = $2 AND first_key = $3',
      ...[list, sort, first_key, block.entries + next.entries],
    );
  } else if (block.entries === 0 && first_key !== BEFORE_ALL) await deleteBlock(connection, block);
}

async function deleteBlock(connection: PostgresConnection, { list, sort, first_key }: BlockRow): Promise<void> {
  await connection.run('DELETE FROM list_blocks WHERE list = $1 AND sort = $2 AND first_key = $3', list, sort, first_key);
}
