import type { CancelTask, Clock } from '../src/lib/clock.ts';

interface PendingTask {
  readonly dueMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** A clock that stands still until a test moves it. Tasks run in the order they are due. */
export class FakeClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #pending = new Set<PendingTask>();

  constructor(nowMs = 1_800_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  schedule(delayMs: number, task: () => void): CancelTask {
    const entry: PendingTask = { dueMs: this.#monotonicMs + delayMs, order: this.#order++, task };
    this.#pending.add(entry);
    return () => this.#pending.delete(entry);
  }

  /** How many tasks wait. */
  get pendingTasks(): number {
    return this.#pending.size;
  }

  /** Moves time forward and runs what falls due on the way, tasks scheduled by tasks included. */
  advance(durationMs: number): void {
    const endMs = this.#monotonicMs + durationMs;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#pending.delete(next);
      this.#moveTo(next.dueMs);
      next.task();
    }
    this.#moveTo(endMs);
  }

  /** Moves the wall clock alone, as a person or NTP does. */
  setWallClock(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += Math.max(0, monotonicMs - this.#monotonicMs);
    this.#monotonicMs = Math.max(this.#monotonicMs, monotonicMs);
  }

  #next(endMs: number): PendingTask | undefined {
    let first: PendingTask | undefined;
    for (const entry of this.#pending) {
      if (entry.dueMs > endMs) continue;
      if (first === undefined || entry.dueMs < first.dueMs || (entry.dueMs === first.dueMs && entry.order < first.order)) first = entry;
    }
    return first;
  }
}
