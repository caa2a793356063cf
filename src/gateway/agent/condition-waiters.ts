/** Promises that wait for a condition of something that changes by itself. */
export class ConditionWaiters {
  readonly #waiting = new Set<{ readonly holds: () => boolean; readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  #failure: Error | undefined;

  /** Resolves when `holds`; rejects when it is given up. */
  wait(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.add({ holds, resolve, reject }));
  }

  /** Something has changed. */
  check(): void {
    for (const waiter of this.#waiting) {
      if (!waiter.holds()) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Nothing that is waited for can come any more. */
  giveUp(failure: Error): void {
    this.#failure = failure;
    for (const waiter of this.#waiting) waiter.reject(failure);
    this.#waiting.clear();
  }
}
