/** Bytes of one: a large body comes in fewer reads and writes than through the shared buffer, and none of it is copied. */
const BUFFER_BYTES = 256 * 1024;
/** How many there are at once, 8 MB; what goes beyond is copied. */
const MOST = 32;
const MOST_KEPT = 4;

/** Buffers for large bodies, each read into by one connection alone. */
export class BulkBuffers {
  readonly #kept: Buffer[] = [];
  #inUse = 0;
  /** Tells when the memory of one that was lost is free again: only then slow clients hold no part of it. */
  readonly #lost = new FinalizationRegistry<undefined>(() => {
    this.#inUse--;
  });

  /** Undefined when there are enough. Answered by one `giveBack` or `lose`. */
  take(): Buffer | undefined {
    if (this.#inUse >= MOST) return undefined;
    this.#inUse++;
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** The caller keeps no reference, and nothing is read into it or sent from it any more. */
  giveBack(buffer: Buffer): void {
    this.#inUse--;
    if (this.#kept.length < MOST_KEPT) this.#kept.push(buffer);
  }

  /** It belongs to a transport now, which drops it when all of it is sent. It counts until its memory is free. */
  lose(buffer: Buffer | undefined): void {
    if (buffer !== undefined) this.#lost.register(buffer.buffer, undefined);
  }
}
