/** Bytes of one: a large body comes in fewer reads and writes than through the shared buffer, and none of it is copied. */
const BUFFER_BYTES = 256 * 1024;
/** How many are in use at once; what goes beyond is copied. */
const MOST_IN_USE = 32;
const MOST_KEPT = 4;

/** Buffers for large bodies, each read into by one connection alone. */
export class BulkBuffers {
  readonly #kept: Buffer[] = [];
  #inUse = 0;

  /** Undefined when enough are in use. Answered by one `giveBack` or `lose`. */
  take(): Buffer | undefined {
    if (this.#inUse >= MOST_IN_USE) return undefined;
    this.#inUse++;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** The caller keeps no reference, and nothing is read into it or sent from it any more. */
  giveBack(buffer: Buffer): void {
    this.#inUse--;
    if (this.#kept.length < MOST_KEPT) this.#kept.push(buffer);
  }

  /** It belongs to a transport now, which drops it when all of it is sent. */
  lose(buffer: Buffer | undefined): void {
    if (buffer !== undefined) this.#inUse--;
  }
}
