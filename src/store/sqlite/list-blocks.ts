import type { SqliteDatabase } from './sqlite-database.ts';

/** A list that grows to this length gets blocks; any shorter one is counted through. A block that outgrows it is parted. */
const MOST_ENTRIES = 1_024;
const USUAL_ENTRIES = 512;
/** A block below this is joined with the next, where both fit into one with room to grow. */
const FEWEST_ENTRIES = 128;
const MOST_JOINED_ENTRIES = 768;

/** The first block begins before all keys. */
const BEFORE_ALL = '';

interface BlockRow {
  readonly first_key: string;
  readonly entries: number;
}

/** Whether a list of this length has to have blocks. */
export function needsBlocks(entries: number): boolean {
  return entries > MOST_ENTRIES;
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

/** Counts an entry that was added to a list with blocks. */
export function countIn(database: SqliteDatabase, list: number, sort: number, key: string): void {
  const block = changeBlock(database, list, sort, key, 1);
  if (block.entries <= MOST_ENTRIES) return;
  const middle = database.get<{ sort_key: string }>(
    'SELECT sort_key FROM list_entries WHERE list = ? AND sort = ? AND sort_key >= ? ORDER BY sort_key LIMIT 1 OFFSET ?',
    ...[list, sort, block.first_key, USUAL_ENTRIES],
  );
  if (middle === undefined) throw new Error('a block of a list counts more entries than there are');
  setEntries(database, list, sort, { first_key: block.first_key, entries: USUAL_ENTRIES });
  insertBlock(database, list, sort, { first_key: middle.sort_key, entries: block.entries - USUAL_ENTRIES });
}

/** Counts an entry that was taken from a list with blocks. */
export function countOut(database: SqliteDatabase, list: number, sort: number, key: string): void {
  const block = changeBlock(database, list, sort, key, -1);
  if (block.entries >= FEWEST_ENTRIES) return;
  const next = database.get<BlockRow>(
    'SELECT first_key, entries FROM list_blocks WHERE list = ? AND sort = ? AND first_key > ? ORDER BY first_key LIMIT 1',
    ...[list, sort, block.first_key],
  );
  if (next !== undefined && block.entries + next.entries <= MOST_JOINED_ENTRIES) {
    deleteBlock(database, list, sort, next.first_key);
    setEntries(database, list, sort, { first_key: block.first_key, entries: block.entries + next.entries });
  } else if (block.entries === 0 && block.first_key !== BEFORE_ALL) deleteBlock(database, list, sort, block.first_key);
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

function changeBlock(database: SqliteDatabase, list: number, sort: number, key: string, by: number): BlockRow {
  const block = database.get<BlockRow>(
    'SELECT first_key, entries FROM list_blocks WHERE list = ? AND sort = ? AND first_key <= ? ORDER BY first_key DESC LIMIT 1',
    ...[list, sort, key],
  );
  if (block === undefined) throw new Error('a long list has no blocks');
  const changed = { first_key: block.first_key, entries: block.entries + by };
  setEntries(database, list, sort, changed);
  return changed;
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
