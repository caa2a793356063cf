import { type Mark, markOf } from './mark.ts';
import { MarkTable } from './mark-table.ts';
import type { StateHash } from './state-hash.ts';

/**
 * What a configuration comes to while it changes. The text of an item is its JSON as it travels; what it leads to does not depend on the
 * order of changes, and a change costs the same however many items there are.
 */
export class StateMarks {
  readonly #table = new MarkTable();
  readonly #sums = new Map<string, KindSum>();

  /** The item of this name has this text now; undefined: it is gone. */
  change(kind: string, name: string, text: string | undefined): void {
    const mark = text === undefined ? undefined : markOf(text);
    const before = this.#table.replace(markOf(name), mark);
    if (before !== undefined) this.#sumOf(kind).add(before, -1);
    if (mark !== undefined) this.#sumOf(kind).add(mark, 1);
  }

  /** Adds an item that was there before all changes, unless one of these speaks of it. Nothing is remembered of it. */
  addEarlier(kind: string, name: string, text: string): void {
    if (!this.#table.knows(markOf(name))) this.#sumOf(kind).add(markOf(text), 1);
  }

  hash(): StateHash {
    const present = [...this.#sums].filter(([, sum]) => sum.count !== 0);
    return present.map(([items, { count, hash }]) => ({ items, count, hash }));
  }

  #sumOf(kind: string): KindSum {
    let sum = this.#sums.get(kind);
    if (sum === undefined) {
      sum = new KindSum();
      this.#sums.set(kind, sum);
    }
    return sum;
  }
}

class KindSum {
  count = 0;
  readonly #words = new Int32Array(4);

  /** Exclusive or takes a mark out as it puts it in. */
  add(mark: Mark, count: 1 | -1): void {
    this.count += count;
    for (let index = 0; index < 4; index++) this.#words[index] = (this.#words[index] ?? 0) ^ (mark[index] ?? 0);
  }

  get hash(): string {
    const bytes = Buffer.alloc(16);
    for (const [index, word] of this.#words.entries()) bytes.writeInt32BE(word, index * 4);
    return bytes.toString('hex');
  }
}
