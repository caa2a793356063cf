import { HealthBoard, type HealthSlot } from './health-board.ts';
import type { HealthReport } from './node-health.ts';

/** Where the health of one node of one upstream stands; from the agent. */
export interface HealthEntry extends HealthSlot {
  /** See `healthKey`. */
  readonly key: string;
}

/** One text for a node of an upstream. `upstream` names it on this instance. */
export function healthKey(upstream: string, address: string, port: number): string {
  return `${upstream} ${address} ${port}`;
}

/** What a worker's book is made from. */
export interface HealthBookOptions {
  readonly board: SharedArrayBuffer;
  readonly row: number;
  /** Tells the agent that there is something in the worker's ring. */
  readonly wake: () => void;
}

/** The health of nodes as one worker knows it: whose stands where, and how to add to it. */
export class HealthBook {
  readonly #board: HealthBoard;
  readonly #row: number;
  readonly #wake: () => void;
  readonly #slots = new Map<string, HealthSlot>();
  #version = 0;

  constructor({ board, row, wake }: HealthBookOptions) {
    this.#board = new HealthBoard(board);
    this.#row = row;
    this.#wake = wake;
  }

  /** Another number whenever a node has gone down or come up, or is looked after from now on, or no longer. */
  get generation(): number {
    return this.#board.generation + this.#version;
  }

  /** Takes what the agent says. */
  update(put: readonly HealthEntry[], removed: readonly string[]): void {
    for (const key of removed) this.#slots.delete(key);
    for (const { key, slot, tag } of put) this.#slots.set(key, { slot, tag });
    this.#version++;
  }

  /** Undefined where nobody looks after the node. */
  slotOf(key: string): HealthSlot | undefined {
    return this.#slots.get(key);
  }

  isDown({ slot }: HealthSlot): boolean {
    return this.#board.isDown(slot);
  }

  awaitsSuccess({ slot }: HealthSlot): boolean {
    return this.#board.awaitsSuccess(slot);
  }

  ignoresFailure({ slot }: HealthSlot): boolean {
    return this.#board.ignoresFailure(slot);
  }

  report(slot: HealthSlot, report: HealthReport): void {
    if (this.#board.report(this.#row, slot, report)) this.#wake();
  }
}
