interface Waiting {
  readonly go: () => void;
  readonly refuse: (reason: Error) => void;
}

/**
 * A bounded queue whose places are shared fairly among keys: the keys have turns one after the other, however many wait under each of them. When
 * it is full, a newcomer takes the place of the last one of the key with the most, unless that would only turn things round.
 */
export class FairQueue {
  readonly #most: number;
  /** Each list has somebody in it; the keys are in the order of their turns. */
  readonly #byKey = new Map<string, Waiting[]>();
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Resolves when it is the caller's turn. Rejects with what `refusal` makes when there is no place, or it had to be given to somebody else. */
  turn(key: string, refusal: () => Error): Promise<void> {
    const own = this.#byKey.get(key);
    if (this.#size >= this.#most && !this.#makePlace(own?.length ?? 0, refusal)) return Promise.reject(refusal());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = { go: resolve, refuse: reject };
    if (own === undefined) this.#byKey.set(key, [waiting]);
    else own.push(waiting);
    this.#size += 1;
    return promise;
  }

  /** Gives the next one his turn; false when nobody waits. */
  next(): boolean {
    for (const [key, list] of this.#byKey) {
      const first = list.shift();
      this.#byKey.delete(key);
      if (list.length > 0) this.#byKey.set(key, list);
      if (first === undefined) continue;
      this.#size -= 1;
      first.go();
      return true;
    }
    return false;
  }

  #makePlace(ownCount: number, refusal: () => Error): boolean {
    let longest: Waiting[] = [];
    for (const list of this.#byKey.values()) if (list.length > longest.length) longest = list;
    if (longest.length <= ownCount + 1) return false;
    longest.pop()?.refuse(refusal());
    this.#size -= 1;
    return true;
  }
}
