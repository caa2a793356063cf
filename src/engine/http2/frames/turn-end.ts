/** What is to be done once behind everything that the event loop has at hand. */
export interface TurnTask {
  onTurnEnd(): void;
}

/**
 * Calls those that ask for it when the event loop has looked at every socket, each once: what a turn has brought for a connection goes in one
 * write, however many requests it concerns.
 */
export class TurnEnd {
  #tasks: TurnTask[] = [];
  readonly #run = (): void => {
    const tasks = this.#tasks;
    this.#tasks = [];
    for (const task of tasks) task.onTurnEnd();
  };

  /** To be called once for each time. */
  add(task: TurnTask): void {
    if (this.#tasks.push(task) === 1) setImmediate(this.#run);
  }
}
