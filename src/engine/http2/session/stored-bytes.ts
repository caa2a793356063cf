/** Bytes that streams of HTTP/2 keep for peers that do not take them, of all connections of a worker to both sides together. */
export class StoredBytes {
  readonly #most: number;
  #total = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get total(): number {
    return this.#total;
  }

  /** There are so many that none should be kept for those who do not get on. */
  get isFull(): boolean {
    return this.#total >= this.#most;
  }

  /** A stream keeps so many more; each is given back once, however the stream ends. */
  add(bytes: number): void {
    this.#total += bytes;
  }

  giveBack(bytes: number): void {
    this.#total -= bytes;
  }
}
