import { rename, rm, stat } from 'node:fs/promises';
import type { CancelTask, Clock } from '../lib/clock.ts';
import { systemCodeOf } from './describe-error.ts';
import type { Logger } from './logger.ts';

export interface LogRotationOptions {
  readonly file: string;
  /** The file is put aside when it has reached this size. Default 64 MiB. */
  readonly maxBytes?: number;
  /** How many old files are kept: `file.1` (the newest) to `file.N`. Default 3. */
  readonly keep?: number;
  /** How often the size is looked at. Default 10 s. */
  readonly intervalMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** The file has been put aside: whoever writes to it is to open it anew. */
  readonly onRotated: () => void;
}

/** A running rotation. */
export interface LogRotation {
  /** Looks at once; true when the file was put aside. Never rejects. */
  check(): Promise<boolean>;
  stop(): void;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const DEFAULT_KEEP = 3;
const DEFAULT_INTERVAL_MS = 10_000;

/**
 * Keeps a log from filling the disk. One thread of one process rotates a file, however many write to it; writers that have not
 * yet opened the new file go on in the old one, so that no line is lost.
 */
export function startLogRotation(options: LogRotationOptions): LogRotation {
  let stopped = false;
  let cancel: CancelTask | undefined;
  let running: Promise<boolean> | undefined;
  const check = (): Promise<boolean> => {
    running ??= rotateIfDue(options, () => stopped).finally(() => {
      running = undefined;
    });
    return running;
  };
  const next = (): void => {
    cancel = options.clock.schedule(options.intervalMs ?? DEFAULT_INTERVAL_MS, () => {
      void check().then(() => {
        if (!stopped) next();
      });
    });
  };
  next();
  return {
    check,
    stop: () => {
      stopped = true;
      cancel?.();
    },
  };
}

async function rotateIfDue(options: LogRotationOptions, isStopped: () => boolean): Promise<boolean> {
  const { file, log } = options;
  try {
    const { size } = await stat(file);
    if (size < (options.maxBytes ?? DEFAULT_MAX_BYTES) || isStopped()) return false;
    await putAside(file, options.keep ?? DEFAULT_KEEP);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') log.warn('a log file could not be rotated', { file, code: systemCodeOf(error) });
    return false;
  }
  try {
    options.onRotated();
  } catch (error) {
    log.error('a rotated log file was not opened anew', { file }, error);
  }
  return true;
}

/** `file.2` → `file.3`, `file.1` → `file.2`, `file` → `file.1`; what a rename replaces is gone with it. */
async function putAside(file: string, keep: number): Promise<void> {
  if (keep === 0) return rm(file);
  for (let number = keep - 1; number >= 1; number -= 1) {
    await rename(`${file}.${number}`, `${file}.${number + 1}`).catch((error: unknown) => {
      if (systemCodeOf(error) !== 'ENOENT') throw error;
    });
  }
  await rename(file, `${file}.1`);
}
