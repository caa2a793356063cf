import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/logger.ts';
import type { LineFile, LineFiles } from '../../plugin-kit/index.ts';
import { AppendedFile } from './appended-file.ts';

export interface SharedLineFilesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Folders that no plugin may write into: the instance's data. */
  readonly forbiddenFolders?: readonly string[];
  /** For each file; 4 MiB unless said. */
  readonly maxWaitingBytes?: number;
}

const DEFAULT_MAX_WAITING_BYTES = 4 * 1024 * 1024;

interface SharedFile {
  readonly file: AppendedFile;
  uses: number;
}

/** The files of a worker's plugins: each is open once, however many plugins append to it. */
export class SharedLineFiles implements LineFiles {
  readonly #options: SharedLineFilesOptions;
  readonly #files = new Map<string, SharedFile>();
  /** Files that were closed and are still being written. */
  readonly #ending = new Set<Promise<void>>();
  #droppedBefore = 0;

  constructor(options: SharedLineFilesOptions) {
    this.#options = options;
  }

  /** Lines lost since the start, for a metric. */
  get dropped(): number {
    return [...this.#files.values()].reduce((sum, { file }) => sum + file.dropped, this.#droppedBefore);
  }

  /** Never throws: a file that cannot be opened is told in the log, and its lines are lost. */
  open(path: string): LineFile {
    const shared = this.#files.get(path) ?? this.#create(path);
    shared.uses += 1;
    let isClosed = false;
    return {
      append: (line) => !isClosed && shared.file.append(line),
      close: () => {
        if (isClosed) return;
        isClosed = true;
        shared.uses -= 1;
        if (shared.uses === 0) this.#end(path, shared.file);
      },
    };
  }

  /** Goes on in new files, after somebody renamed the old ones. */
  reopen(): void {
    for (const { file } of this.#files.values()) file.reopen();
  }

  /** Writes what is left of all files, for at most two seconds. */
  async close(): Promise<void> {
    for (const [path, { file }] of [...this.#files]) this.#end(path, file);
    await Promise.all(this.#ending);
  }

  #create(path: string): SharedFile {
    const { clock, log, forbiddenFolders = [], maxWaitingBytes = DEFAULT_MAX_WAITING_BYTES } = this.#options;
    const shared = { file: new AppendedFile({ path, forbiddenFolders, maxWaitingBytes, clock, log }), uses: 0 };
    this.#files.set(path, shared);
    return shared;
  }

  #end(path: string, file: AppendedFile): void {
    this.#files.delete(path);
    const ending = file.close().finally(() => {
      this.#ending.delete(ending);
      this.#droppedBefore += file.dropped;
    });
    this.#ending.add(ending);
  }
}
