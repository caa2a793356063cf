import { SORTS } from '../lists/sort-key.ts';
import { applyCounts } from './list-blocks.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** Counts of entries that a transaction has changed and not yet told the blocks: together they cost a fraction of one after the other. */
export class PendingCounts {
  readonly #database: SqliteDatabase;
  readonly #changes = new Map<string, { readonly list: number; readonly sort: number; readonly sums: Map<string, number> }>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** Notes one entry more (1) or less (-1) at a key of a list with blocks. */
  add(list: number, sort: number, key: string, by: 1 | -1): void {
    const name = nameOf(list, sort);
    const changes = this.#changes.get(name) ?? { list, sort, sums: new Map<string, number>() };
    this.#changes.set(name, changes);
    const sum = (changes.sums.get(key) ?? 0) + by;
    if (sum === 0) changes.sums.delete(key);
    else changes.sums.set(key, sum);
  }

  /** For a list that is deleted: its number may be given to another. */
  forget(list: number): void {
    for (const sort of Object.values(SORTS)) this.#changes.delete(nameOf(list, sort));
  }

  /** Tells the blocks, before anything reads them. */
  apply(): void {
    for (const { list, sort, sums } of this.#changes.values()) applyCounts(this.#database, list, sort, sums);
    this.#changes.clear();
  }
}

function nameOf(list: number, sort: number): string {
  return `${list} ${sort}`;
}
