import type { LineFile, LineFiles } from '../outgoing-calls.ts';

/** Files that keep their lines in memory. */
export class TestLineFiles implements LineFiles {
  /** True: every line is lost. */
  full = false;
  readonly #lines = new Map<string, string[]>();
  readonly #open = new Map<string, number>();

  open(path: string): LineFile {
    if (!path.startsWith('/')) throw new Error(`${path} is no absolute path`);
    this.#open.set(path, this.openCount(path) + 1);
    let closed = false;
    return {
      append: (line) => {
        if (closed) throw new Error('the file is closed');
        if (this.full) return false;
        this.#lines.set(path, [...this.lines(path), line]);
        return true;
      },
      close: () => {
        if (closed) throw new Error('a file is closed once');
        closed = true;
        this.#open.set(path, this.openCount(path) - 1);
      },
    };
  }

  lines(path: string): readonly string[] {
    return this.#lines.get(path) ?? [];
  }

  /** How many hold this file open. */
  openCount(path: string): number {
    return this.#open.get(path) ?? 0;
  }
}
