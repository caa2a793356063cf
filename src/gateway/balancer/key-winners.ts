const PLACES = 32_768;
const EMPTY = -1;
/** Odd, so that lists that follow each other begin at different places. */
const LIST_STEP = 0x9e37_79b1;

/**
 * Which node of a list wins a key, for the keys asked for last, of however many lists: one place for each of many hashes, which the newest
 * takes. 384 KiB, of which nothing is taken before the first key comes.
 */
export class KeyWinners {
  #lists = 0;
  #keys: Int32Array | undefined = undefined;
  #owners = new Int32Array(0);
  #winners = new Int32Array(0);

  /** The number of a list of nodes that never changes; another one on each call, of 4,294,967,295 in a row. */
  newList(): number {
    this.#lists = (this.#lists + 1) | 0 || 1;
    return this.#lists;
  }

  /** The index that was set for this hash in this list; -1 when there is none, or none any more. */
  get(list: number, keyHash: number): number {
    const place = placeOf(list, keyHash);
    const keys = this.#keys;
    return keys !== undefined && keys[place] === (keyHash | 0) && this.#owners[place] === list ? (this.#winners[place] ?? EMPTY) : EMPTY;
  }

  set(list: number, keyHash: number, index: number): void {
    if (this.#keys === undefined) {
      this.#keys = new Int32Array(PLACES);
      this.#owners = new Int32Array(PLACES);
      this.#winners = new Int32Array(PLACES);
    }
    const place = placeOf(list, keyHash);
    this.#keys[place] = keyHash;
    this.#owners[place] = list;
    this.#winners[place] = index;
  }
}

function placeOf(list: number, keyHash: number): number {
  return (keyHash ^ Math.imul(list, LIST_STEP)) & (PLACES - 1);
}
