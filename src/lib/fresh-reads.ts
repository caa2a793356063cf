/**
 * Reads that began after they were asked for, however many ask: of each key one read is under way and at most one more is to come, which
 * all that ask meanwhile share.
 */
export class FreshReads<Value> {
  readonly #read: (key: string) => Promise<Value>;
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #next = new Map<string, Promise<Value>>();

  constructor(read: (key: string) => Promise<Value>) {
    this.#read = read;
  }

  /** @throws what reading throws */
  read(key: string): Promise<Value> {
    const running = this.#running.get(key);
    if (running === undefined) return this.#begin(key);
    let next = this.#next.get(key);
    if (next === undefined) {
      const begin = (): Promise<Value> => {
        this.#next.delete(key);
        return this.#begin(key);
      };
      next = running.then(begin, begin);
      this.#next.set(key, next);
    }
    return next;
  }

  #begin(key: string): Promise<Value> {
    const reading = this.#read(key);
    const settled = (): void => {
      if (this.#running.get(key) === reading) this.#running.delete(key);
    };
    this.#running.set(key, reading);
    reading.then(settled, settled);
    return reading;
  }
}
