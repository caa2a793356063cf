/** Keeps objects that are dear to make for their next use, at most `limit` of them. */
export class FreeList<Item> {
  readonly #make: () => Item;
  readonly #limit: number;
  readonly #items: Item[] = [];

  constructor(limit: number, make: () => Item) {
    this.#limit = limit;
    this.#make = make;
  }

  take(): Item {
    return this.#items.pop() ?? this.#make();
  }

  /** The caller keeps no reference. */
  giveBack(item: Item): void {
    if (this.#items.length < this.#limit) this.#items.push(item);
  }
}
