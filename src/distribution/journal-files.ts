import { open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

const FILE_NAME = /^journal-([1-9]\d{0,14})\.log$/;
const DRAFT_NAME = /^journal-\d+\.log\.part$/;

/** The journal's files in one folder: `journal-<n>.log`, where a higher number is newer, and drafts that end in `.part`. */
export class JournalFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  pathOf(file: number): string {
    return path.join(this.#folder, `journal-${file}.log`);
  }

  draftPathOf(file: number): string {
    return `${this.pathOf(file)}.part`;
  }

  /** The numbers of all complete files, oldest first. Drafts of a process that died are removed. */
  async list(): Promise<number[]> {
    const names = await readdir(this.#folder);
    await Promise.all(names.filter((name) => DRAFT_NAME.test(name)).map((name) => rm(path.join(this.#folder, name), { force: true })));
    return names
      .map((name) => Number(FILE_NAME.exec(name)?.[1]))
      .filter((file) => Number.isSafeInteger(file))
      .sort((one, other) => one - other);
  }

  /** Makes a complete draft the file of that number; durable when the promise resolves. */
  async adopt(file: number): Promise<void> {
    await rename(this.draftPathOf(file), this.pathOf(file));
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async remove(file: number): Promise<void> {
    await rm(this.pathOf(file), { force: true });
  }
}
