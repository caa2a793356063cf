import { closeSync, fchownSync, fdatasyncSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { StartError } from '../errors/index.ts';
import type { Clock } from '../lib/clock.ts';
import { systemCodeOf } from './describe-error.ts';
import { escapeLogText } from './escape-log-text.ts';

/** Where events go. */
export type LogDestination =
  | { readonly kind: 'stderr' }
  | {
      readonly kind: 'file';
      readonly file: string;
      /** Whom the file shall belong to, when root opens it for processes that run as somebody else. */
      readonly owner?: { readonly uid: number; readonly gid: number };
    };

export interface EventDestinationOptions {
  readonly destination: LogDestination;
  readonly clock: Clock;
  /** The line that tells of lines that could not be written. */
  readonly describeDropped: (count: number) => string;
}

const STANDARD_ERROR = 2;
/** How often the file's name is checked for another file behind it. */
const FOLLOW_INTERVAL_MS = 1000;

/**
 * Appends events line by line. Each line is written before `write` returns, because the next statement may end the process, and with
 * one call, so that threads and processes share a file without mixing their lines. A line that cannot be written (full disk, full
 * pipe) is counted and told of as soon as writing works again; nothing throws. When the file is renamed or removed, the next lines
 * go to a new file of the same name.
 */
export class EventDestination {
  readonly #options: EventDestinationOptions;
  #descriptor: number;
  #dropped = 0;
  #torn = false;
  #closed = false;
  #followedAtMs: number;

  /** @throws StartError when the file cannot be opened. */
  constructor(options: EventDestinationOptions) {
    this.#options = options;
    this.#followedAtMs = options.clock.monotonicMs();
    try {
      this.#descriptor = openDestination(options.destination);
    } catch (error) {
      const file = options.destination.kind === 'file' ? options.destination.file : 'standard error';
      throw new StartError(
        `The log file ${file} cannot be opened (${systemCodeOf(error)}): correct it or choose another with --log-file.`,
        {
          cause: error,
        },
      );
    }
  }

  /** Appends one line, its line break included. */
  write(line: string): void {
    if (this.#closed) return;
    this.#followRename();
    const notice = this.#dropped === 0 ? '' : this.#options.describeDropped(this.#dropped);
    const bytes = Buffer.from(`${this.#torn ? '\n' : ''}${escapeLogText(notice + line)}`, 'latin1');
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written);
      this.#dropped = 0;
      this.#torn = false;
    } catch {
      this.#dropped += 1;
      this.#torn ||= written > 0;
    }
  }

  /** Counts a line that was not even tried. */
  drop(): void {
    this.#dropped += 1;
  }

  /** Lets what was written survive a loss of power. */
  flush(): void {
    if (this.#closed || this.#options.destination.kind === 'stderr') return;
    try {
      fdatasyncSync(this.#descriptor);
    } catch {
      // Nobody is left to be told: this is the log.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    if (this.#options.destination.kind === 'file') closeSync(this.#descriptor);
  }

  #followRename(): void {
    const { destination, clock } = this.#options;
    if (destination.kind === 'stderr' || clock.monotonicMs() - this.#followedAtMs < FOLLOW_INTERVAL_MS) return;
    this.#followedAtMs = clock.monotonicMs();
    try {
      const named = statSync(destination.file, { throwIfNoEntry: false });
      const open = fstatSync(this.#descriptor);
      if (named !== undefined && named.ino === open.ino && named.dev === open.dev) return;
      const fresh = openDestination(destination);
      closeSync(this.#descriptor);
      this.#descriptor = fresh;
      this.#torn = false;
    } catch {
      // The old file still takes lines; the next check tries again.
    }
  }
}

function openDestination(destination: LogDestination): number {
  if (destination.kind === 'stderr') return STANDARD_ERROR;
  const descriptor = openSync(destination.file, 'a', 0o600);
  if (destination.owner !== undefined) fchownSync(descriptor, destination.owner.uid, destination.owner.gid);
  return descriptor;
}
