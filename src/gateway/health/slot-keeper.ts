import { HealthBoard, type HealthSlot, MOST_CHECKED_NODES } from './health-board.ts';

/** Gives out places on the board. One that is free again is given out as late as can be, and then with another tag. */
export class SlotKeeper {
  readonly #capacity: number;
  readonly #tags = new Map<number, number>();
  readonly #free: number[] = [];
  #firstFree = 0;
  #fresh = 0;

  constructor(capacity: number = MOST_CHECKED_NODES) {
    this.#capacity = capacity;
  }

  /** Undefined when all are taken. */
  take(): HealthSlot | undefined {
    if (this.#fresh < this.#capacity) {
      const slot = this.#fresh++;
      this.#tags.set(slot, 0);
      return { slot, tag: 0 };
    }
    const slot = this.#free[this.#firstFree];
    if (slot === undefined) return undefined;
    this.#firstFree++;
    if (this.#firstFree > this.#capacity) {
      this.#free.splice(0, this.#firstFree);
      this.#firstFree = 0;
    }
    const tag = ((this.#tags.get(slot) ?? 0) + 1) % HealthBoard.tags;
    this.#tags.set(slot, tag);
    return { slot, tag };
  }

  giveBack({ slot }: HealthSlot): void {
    this.#free.push(slot);
  }
}
