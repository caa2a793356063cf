/** What a test has made, ended and removed in the opposite order. */
export class CleanupStack {
  readonly #tasks: (() => unknown)[] = [];

  /** Has `task` run at the end, before all that was named earlier. */
  after(task: () => unknown): void {
    this.#tasks.push(task);
  }

  /** Runs all of them, also when some fail. @throws the first failure */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      try {
        await task();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
