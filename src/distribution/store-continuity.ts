import { FreshReads } from '../lib/fresh-reads.ts';
import type { RevisionHints } from '../store/store.ts';
import type { StoreStanding } from '../store/store-standing.ts';

/**
 * Whether what the store holds leads on from what it held when it was last looked at. A database that fails over to a replica which was behind
 * has lost its newest transactions, and revisions alone do not tell for long: others write them a second time. So whatever is published is read
 * together with where the store stands, and with the question whether it still has what it had.
 */
export class StoreContinuity {
  readonly #reads: FreshReads<StoreStanding | undefined>;
  readonly #onBroken: () => void;
  #mark: string | undefined;
  #isBroken = false;

  /** `onBroken` is called once. */
  constructor(store: Pick<RevisionHints, 'readStanding'>, onBroken: () => void) {
    this.#onBroken = onBroken;
    this.#reads = new FreshReads(async () => store.readStanding?.(this.#mark));
  }

  /** The last that is known to have been there: to be taken before the store is asked. */
  get mark(): string | undefined {
    return this.#mark;
  }

  /** The store has lost something: what instances hold does not lead to what is there, and stays so. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** What the store has answered. */
  note({ mark, lacksKnown }: StoreStanding): void {
    if (lacksKnown) this.noteLoss();
    else if (mark !== undefined && (this.#mark === undefined || numberOf(mark) > numberOf(this.#mark))) this.#mark = mark;
  }

  /** The store has lost something that it itself cannot tell of. */
  noteLoss(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#onBroken();
  }

  /** Asks the store. Rejects when it does not answer. */
  async check(): Promise<void> {
    const standing = await this.#reads.read('');
    if (standing !== undefined) this.note(standing);
  }
}

/** Answers may come in another order than that in which the store was read. */
function numberOf(mark: string): number {
  return Number.parseInt(mark, 10);
}
