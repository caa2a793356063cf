import { BEFORE_ALL, FEWEST_ENTRIES, MOST_ENTRIES, MOST_JOINED_ENTRIES, USUAL_ENTRIES } from '../lists/block-sizes.ts';
import { compareCodePoints } from '../lists/compare-code-points.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Up to so many changes each find their block by a query; for more, all blocks of the order are read. */
const FEW_CHANGES = 8;

interface BlockRow {
  readonly first_key: string;
  readonly entries: number;
}

/** Makes the blocks of one order of a list from its entries. */
export function makeBlocks(database: SqliteDatabase, list: number, sort: number, entries: number): void {
  const firsts = database.all<{ sort_key: string }>(
    `SELECT sort_key FROM (
       SELECT sort_key, row_number() OVER (ORDER BY sort_key) - 1 AS place FROM list_entries WHERE list = ? AND sort = ?)
     WHERE place % ? = 0 ORDER BY sort_key`,
    ...[list, sort, USUAL_ENTRIES],
  );
  for (const [index, { sort_key }] of firsts.entries()) {
    insertBlock(database, list, sort, {
      first_key: index === 0 ? BEFORE_ALL : sort_key,
      entries: Math.min(USUAL_ENTRIES, entries - index * USUAL_ENTRIES),
    });
  }
}

/** Counts entries in and out of one order of a list with blocks: by so many at each key. The entries themselves are as they will be. */
export function applyCounts(database: SqliteDatabase, list: number, sort: number, changes: ReadonlyMap<string, number>): void {
  const known = changes.size > FEW_CHANGES ? allBlocks(database, list, sort) : undefined;
  const touched = new Map<string, number>();
  for (const [key, by] of changes) {
    const block = known === undefined ? findBlock(database, list, sort, key) : lastUpTo(known, key);
    if (block === undefined) throw new Error('a long list has no blocks');
    touched.set(block.first_key, (touched.get(block.first_key) ?? block.entries) + by);
  }
  for (const [first_key, entries] of touched) {
    if (entries > MOST_ENTRIES) partBlock(database, list, sort, { first_key, entries });
    else setEntries(database, list, sort, { first_key, entries });
  }
  for (const [first_key, entries] of touched) if (entries < FEWEST_ENTRIES) joinBlock(database, list, sort, first_key);
}

/** The block that holds the entry at a place, counted from 0, and the place of its first entry. */
export function blockAt(
  database: SqliteDatabase,
  list: number,
  sort: number,
  place: number,
): { readonly firstKey: string; readonly firstPlace: number } {
  const block = database.get<{ first_key: string; before: number }>(
    `SELECT first_key, before FROM (
       SELECT first_key, sum(entries) OVER (ORDER BY first_key) - entries AS before FROM list_blocks WHERE list = ? AND sort = ?) AS placed
     WHERE before <= ? ORDER BY first_key DESC LIMIT 1`,
    ...[list, sort, place],
  );
  return { firstKey: block?.first_key ?? BEFORE_ALL, firstPlace: block?.before ?? 0 };
}

function allBlocks(database: SqliteDatabase, list: number, sort: number): readonly BlockRow[] {
  return database.all<BlockRow>('SELECT first_key, entries FROM list_blocks WHERE list = ? AND sort = ? ORDER BY first_key', list, sort);
}

function findBlock(database: SqliteDatabase, list: number, sort: number, key: string): BlockRow | undefined {
  return database.get<BlockRow>(
    'SELECT first_key, entries FROM list_blocks WHERE list = ? AND sort = ? AND first_key <= ? ORDER BY first_key DESC LIMIT 1',
    ...[list, sort, key],
  );
}

function lastUpTo(blocks: readonly BlockRow[], key: string): BlockRow | undefined {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareCodePoints(blocks[middle]?.first_key ?? '', key) <= 0) low = middle + 1;
    else high = middle;
  }
  return blocks[low - 1];
}

function partBlock(database: SqliteDatabase, list: number, sort: number, block: BlockRow): void {
  const firsts = database.column<string>(
    `SELECT sort_key FROM (
       SELECT sort_key, row_number() OVER (ORDER BY sort_key) - 1 AS place FROM (
         SELECT sort_key FROM list_entries WHERE list = ? AND sort = ? AND sort_key >= ? ORDER BY sort_key LIMIT ?) AS part) AS placed
     WHERE place % ? = 0 ORDER BY sort_key`,
    ...[list, sort, block.first_key, block.entries, USUAL_ENTRIES],
  );
  for (const [index, first] of firsts.entries()) {
    const entries = Math.min(USUAL_ENTRIES, block.entries - index * USUAL_ENTRIES);
    if (index === 0) setEntries(database, list, sort, { first_key: block.first_key, entries });
    else insertBlock(database, list, sort, { first_key: first, entries });
  }
}

/** Joins a block with the next where both fit into one; goes where it is empty. It may be gone already, joined with the one before. */
function joinBlock(database: SqliteDatabase, list: number, sort: number, firstKey: string): void {
  const [block, next] = database.all<BlockRow>(
    'SELECT first_key, entries FROM list_blocks WHERE list = ? AND sort = ? AND first_key >= ? ORDER BY first_key LIMIT 2',
    ...[list, sort, firstKey],
  );
  if (block?.first_key !== firstKey) return;
  if (next !== undefined && block.entries + next.entries <= MOST_JOINED_ENTRIES) {
    deleteBlock(database, list, sort, next.first_key);
    setEntries(database, list, sort, { first_key: firstKey, entries: block.entries + next.entries });
  } else if (block.entries === 0 && firstKey !== BEFORE_ALL) deleteBlock(database, list, sort, firstKey);
}

function setEntries(database: SqliteDatabase, list: number, sort: number, block: BlockRow): void {
  database.run(
    'UPDATE list_blocks SET entries = ? WHERE list = ? AND sort = ? AND first_key = ?',
    ...[block.entries, list, sort, block.first_key],
  );
}

function insertBlock(database: SqliteDatabase, list: number, sort: number, block: BlockRow): void {
  database.run(
    'INSERT INTO list_blocks (list, sort, first_key, entries) VALUES (?, ?, ?, ?)',
    ...[list, sort, block.first_key, block.entries],
  );
}

function deleteBlock(database: SqliteDatabase, list: number, sort: number, firstKey: string): void {
  database.run('DELETE FROM list_blocks WHERE list = ? AND sort = ? AND first_key = ?', list, sort, firstKey);
}
