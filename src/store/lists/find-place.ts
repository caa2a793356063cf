import type { ResourceSelection } from '../store.ts';
import { compareCodePoints } from './compare-code-points.ts';

/** So many keys are looked up at once: a round trip to a database costs what some hundred of them cost. */
const PROBES = 300;

/**
 * Finds which entry a cursor leads to, in rows that are in the upward order of their keys, without knowing all keys. Yields the rows whose keys
 * it must be told next, and gives the number of entries that stand before the cursor's place: for `ascending` those up to its key, for `descending`
 * those below it.
 */
export function* findPlace(
  rows: ArrayLike<number>,
  cursorKey: string,
  direction: ResourceSelection['direction'],
): Generator<readonly number[], number, ReadonlyMap<number, string>> {
  const isBefore = (key: string): boolean => {
    const difference = compareCodePoints(key, cursorKey);
    return direction === 'ascending' ? difference <= 0 : difference < 0;
  };
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const step = Math.max(1, Math.floor((high - low) / PROBES));
    const probes: number[] = [];
    for (let index = low; index < high; index += step) probes.push(index);
    const keys = yield probes.map((index) => rowAt(rows, index));
    // What is not before the cursor is all behind what is.
    const behind = probes.findIndex((index) => !isBefore(keyOf(keys, rowAt(rows, index))));
    const last = behind < 0 ? probes.length - 1 : behind - 1;
    if (behind >= 0) high = probes[behind] ?? high;
    if (last >= 0) low = (probes[last] ?? low) + 1;
  }
  return low;
}

function rowAt(rows: ArrayLike<number>, index: number): number {
  const row = rows[index];
  if (row === undefined) throw new Error('a list has no such entry');
  return row;
}

function keyOf(keys: ReadonlyMap<number, string>, row: number): string {
  const key = keys.get(row);
  if (key === undefined) throw new Error('a listed resource has no key');
  return key;
}
