const PLACES = 4096;
const EMPTY = -1;

/**
 * Which node of a fixed list wins a key, for the keys asked for last: one place for each of many hashes, which the newest takes. 24 KiB, of
 * which nothing is taken before the first key comes.
 */
export class KeyWinners {
  #keys: Int32Array | undefined = undefined;
  #winners = new Int16Array(0);

  /** The index that was set for this hash; -1 when there is none, or none any more. */
  get(keyHash: number): number {
    const place = keyHash & (PLACES - 1);
    const keys = this.#keys;
    return keys !== undefined && keys[place] === (keyHash | 0) ? (this.#winners[place] ?? EMPTY) : EMPTY;
  }

  /** Indexes from 32,768 on are not kept. */
  set(keyHash: number, index: number): void {
    if (this.#keys === undefined) {
      this.#keys = new Int32Array(PLACES);
      this.#winners = new Int16Array(PLACES).fill(EMPTY);
    }
    const place = keyHash & (PLACES - 1);
    this.#keys[place] = keyHash;
    this.#winners[place] = index < 32_768 ? index : EMPTY;
  }
}
