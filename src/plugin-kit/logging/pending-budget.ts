/** What one plugin may keep in a worker's memory, of all its configurations together: bytes that wait or are under way. */
const MAX_PENDING_BYTES = 32 * 1024 * 1024;

/** Counts what waits and is under way, of all processors that share it. */
export class PendingBudget {
  #entries = 0;
  #bytes = 0;

  get entries(): number {
    return this.#entries;
  }

  /** Takes room for one entry; false where there is none. */
  take(bytes: number, maxEntries: number): boolean {
    if (this.#entries >= maxEntries || this.#bytes + bytes > MAX_PENDING_BYTES) return false;
    this.#entries += 1;
    this.#bytes += bytes;
    return true;
  }

  release(entries: number, bytes: number): void {
    this.#entries -= entries;
    this.#bytes -= bytes;
  }
}
