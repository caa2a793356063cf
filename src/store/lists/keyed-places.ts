import type { ListOrder, ListPlaces, ResourceSelection } from '../store.ts';
import { compareCodePoints } from './compare-code-points.ts';
import { formatCursor, parseCursor } from './sort-key.ts';

/** The places of all entries, by their keys. */
export class KeyedPlaces implements ListPlaces {
  readonly #order: ListOrder;
  readonly #isAscending: boolean;
  readonly #keys: readonly string[];

  /** `keys` are those of all entries, in the list's direction. */
  constructor({ order, direction }: Pick<ResourceSelection, 'order' | 'direction'>, keys: readonly string[]) {
    this.#order = order;
    this.#isAscending = direction === 'ascending';
    this.#keys = keys;
  }

  cursorAt(index: number): string {
    const key = this.#keys[index];
    if (key === undefined) throw new Error('a list has no such entry');
    return formatCursor(this.#order, key);
  }

  firstBehind(cursor: string): number {
    const wanted = parseCursor(cursor, this.#order);
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = compareCodePoints(this.#keys[middle] ?? '', wanted);
      if (this.#isAscending ? difference > 0 : difference < 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
