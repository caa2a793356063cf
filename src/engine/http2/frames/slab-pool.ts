import { FreeList } from '../../free-list.ts';

/** Four of the longest frames, and some small ones. */
export const SLAB_BYTES = 66 * 1024;
const KEPT_SLABS = 32;

/** Where the frames of one turn of the event loop lie together until they are sent; connections at rest hold none. */
export class SlabPool {
  readonly #slabs = new FreeList<Buffer>(KEPT_SLABS, () => Buffer.allocUnsafeSlow(SLAB_BYTES));

  take(): Buffer {
    return this.#slabs.take();
  }

  giveBack(slab: Buffer): void {
    this.#slabs.giveBack(slab);
  }
}
