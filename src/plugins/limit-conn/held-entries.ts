import type { EntryDecision } from '../../plugin-kit/index.ts';

type Entered = Extract<EntryDecision, { kind: 'entered' }>;

/** What one request has entered, left when it is over. What a server lets in after that is left at once. */
export class HeldEntries {
  #entries: Entered[] = [];
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  hold(entry: Entered): void {
    if (this.#isOver) entry.leave();
    else this.#entries.push(entry);
  }

  /** The request is over, however it ended. */
  leave(): void {
    this.#isOver = true;
    const entries = this.#entries;
    this.#entries = [];
    for (const entry of entries) entry.leave();
  }
}
