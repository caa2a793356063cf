/**
 * How much may come on all streams of a connection together (RFC 9113 §5.2). Room is given again for what has come, not for what was taken: what waits
 * for its reader is bounded by the windows of the streams, and one that is held up must not hold the others up.
 */
export class ReceiveWindow {
  readonly #bytes: number;
  readonly #give: (bytes: number) => void;
  #left: number;
  #owed = 0;

  /** `give` tells the peer of more room. */
  constructor(bytes: number, give: (bytes: number) => void) {
    this.#bytes = bytes;
    this.#give = give;
    this.#left = bytes;
  }

  /** Takes `length` bytes; false where there was no room. */
  take(length: number): boolean {
    if (length > this.#left) return false;
    this.#left -= length;
    this.#owed += length;
    if (this.#owed * 2 >= this.#bytes) {
      this.#left += this.#owed;
      this.#give(this.#owed);
      this.#owed = 0;
    }
    return true;
  }
}
