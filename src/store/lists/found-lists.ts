import type { ResourceSelection } from '../store.ts';

/** Rows in the upward order of their keys. */
export type FoundRows = ArrayLike<number>;

/** 8 MiB, for example ten searches that each found all of 100,000. */
const MOST_ROWS = 1_048_576;
const MOST_LISTS = 64;

/** What was found in a group while it was in this state. */
interface Found {
  readonly state: string;
  readonly rows: FoundRows;
}

/**
 * Keeps what searches and several labels at once have found, in memory of a fixed size, so that only the first page of such a list goes through
 * the whole of it. It counts as long as the group is in the same state, which any write of it ends.
 */
export class FoundLists {
  readonly #found = new Map<string, Found>();
  #rows = 0;

  /** What was found, whatever part and direction are asked for now; undefined when nobody knows any more. */
  get(selection: ResourceSelection, state: string): FoundRows | undefined {
    const name = nameOf(selection);
    const found = this.#found.get(name);
    if (found === undefined) return undefined;
    this.#forget(name, found);
    if (found.state !== state) return undefined;
    this.#keep(name, found);
    return found.rows;
  }

  /** Keeps what a selection has found; the lists that were not asked for the longest make room. */
  set(selection: ResourceSelection, state: string, rows: readonly number[]): void {
    const name = nameOf(selection);
    const before = this.#found.get(name);
    if (before !== undefined) this.#forget(name, before);
    if (rows.length > MOST_ROWS) return;
    this.#keep(name, { state, rows: Float64Array.from(rows) });
    for (const [oldest, found] of this.#found) {
      if (this.#rows <= MOST_ROWS && this.#found.size <= MOST_LISTS) break;
      this.#forget(oldest, found);
    }
  }

  #keep(name: string, found: Found): void {
    this.#found.set(name, found);
    this.#rows += found.rows.length;
  }

  #forget(name: string, found: Found): void {
    this.#found.delete(name);
    this.#rows -= found.rows.length;
  }
}

function nameOf({ groupId, kind, owner, labels, labelNames, search, order }: ResourceSelection): string {
  return JSON.stringify([groupId, kind, owner?.kind, owner?.id, [...(labels ?? [])], labelNames ?? [], search ?? '', order]);
}

/** What tells a group's state: `STATE_COLUMNS` of its row. */
export interface GroupState {
  readonly revision: number;
  readonly updated_at: number;
}

/** The columns of `GroupState`. */
export const STATE_COLUMNS = 'revision, updated_at';

/** What no two states of a group share: a database that lost its last revisions in a fail-over gives their numbers once more, at another time. */
export function stateOf({ revision, updated_at }: GroupState): string {
  return `${revision} ${updated_at}`;
}
