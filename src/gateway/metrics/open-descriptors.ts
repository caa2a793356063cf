import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';

const FOLDER = '/proc/self/fd';

/** How many descriptors this process has open, as far as its system tells. */
export class OpenDescriptors {
  #counted: number | undefined;
  #isCounting = false;

  /** Undefined where it is not known, or not yet. */
  count(): number | undefined {
    try {
      const { size } = statSync(FOLDER);
      // Linux 6.2 and later say it at once; what is older says 0, and the names must be counted, which takes a while.
      if (size > 0) return size;
    } catch {
      return undefined;
    }
    void this.#countNames();
    return this.#counted;
  }

  async #countNames(): Promise<void> {
    if (this.#isCounting) return;
    this.#isCounting = true;
    try {
      this.#counted = (await readdir(FOLDER)).length;
    } catch {
      this.#counted = undefined;
    } finally {
      this.#isCounting = false;
    }
  }
}
