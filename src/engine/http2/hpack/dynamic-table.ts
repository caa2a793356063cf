/** What an entry costs besides its bytes (RFC 7541 §4.1); RFC 9113 §6.5.2 counts the fields of a list the same way. */
export const ENTRY_OVERHEAD_BYTES = 32;
const FIRST_SLOTS = 16;

/** A field that a later block may name by its number. */
export interface TableEntry {
  readonly name: string;
  readonly value: string;
  /** How many entries were added before. */
  readonly ordinal: number;
}

/**
 * The dynamic table of one direction (RFC 7541 §2.3.2 and §4): newest entries first, the oldest leave when the size is reached. It holds no
 * more than `maxBytes`, counted as there, and at most a slot for 32 of them.
 */
export class DynamicTable {
  #maxBytes: number;
  readonly #onEvicted: ((entry: TableEntry) => void) | undefined;
  #bytes = 0;
  #count = 0;
  #added = 0;
  /** A ring, whose length is a power of two: an entry lies at its ordinal modulo that. */
  #slots: (TableEntry | undefined)[] = [];

  /** `onEvicted` hears of each entry that leaves, oldest first. */
  constructor(maxBytes: number, onEvicted?: (entry: TableEntry) => void) {
    this.#maxBytes = maxBytes;
    this.#onEvicted = onEvicted;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The size of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#count;
  }

  /** The entry with `age` newer ones; undefined where there are not so many. */
  at(age: number): TableEntry | undefined {
    return age < this.#count ? this.#slots[(this.#added - 1 - age) & (this.#slots.length - 1)] : undefined;
  }

  /** How many entries are newer than `entry`, which is in the table. */
  ageOf(entry: TableEntry): number {
    return this.#added - 1 - entry.ordinal;
  }

  /** Adds a field; undefined where it is larger than the table, which empties it and is no error (RFC 7541 §4.4). */
  add(name: string, value: string): TableEntry | undefined {
    const bytes = name.length + value.length + ENTRY_OVERHEAD_BYTES;
    this.#shrinkTo(this.#maxBytes - bytes);
    if (bytes > this.#maxBytes) return undefined;
    if (this.#count === this.#slots.length) this.#grow();
    const entry = { name, value, ordinal: this.#added };
    this.#slots[this.#added & (this.#slots.length - 1)] = entry;
    this.#added++;
    this.#count++;
    this.#bytes += bytes;
    return entry;
  }

  /** Changes how large the table may be; the oldest entries leave for it. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#shrinkTo(maxBytes);
  }

  #shrinkTo(bytes: number): void {
    while (this.#count > 0 && this.#bytes > bytes) {
      const slot = (this.#added - this.#count) & (this.#slots.length - 1);
      const oldest = this.#slots[slot];
      if (oldest === undefined) return;
      this.#slots[slot] = undefined;
      this.#count--;
      this.#bytes -= oldest.name.length + oldest.value.length + ENTRY_OVERHEAD_BYTES;
      this.#onEvicted?.(oldest);
    }
  }

  #grow(): void {
    const slots = new Array<TableEntry | undefined>(Math.max(FIRST_SLOTS, this.#slots.length * 2)).fill(undefined);
    for (const entry of this.#slots) if (entry !== undefined) slots[entry.ordinal & (slots.length - 1)] = entry;
    this.#slots = slots;
  }
}
