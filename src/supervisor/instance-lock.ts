import { chmodSync, existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { StartError } from '../errors/index.ts';
import type { Clock } from '../lib/clock.ts';

/** A claim on a data folder that the kernel drops when its process dies. */
export interface InstanceLock {
  release(): void;
}

/** How a supervisor claims its folder. */
export interface ClaimOptions {
  readonly waitMs: number;
  readonly clock: Clock;
  /** Called once when the wait has become noticeable. */
  readonly onWait: () => void;
}

const RETRY_MS = 50;
/** Somebody else's vain attempt to claim the folder shuts a child out for a moment. */
const SHARE_WAIT_MS = 5000;

/**
 * Claims a data folder for a supervisor.
 *
 * The claim is a lock of SQLite's on an empty database, because Node offers no lock of its own that dies with its process: every
 * process of an instance holds it shared, and a new supervisor first needs it alone. So a start waits until the last process of
 * the instance before has gone, at most `waitMs`.
 *
 * @throws StartError when the folder is still in use then.
 */
export async function claimDataFolder(file: string, options: ClaimOptions): Promise<InstanceLock> {
  const deadlineMs = options.clock.monotonicMs() + options.waitMs;
  let told = false;
  for (;;) {
    const lock = tryClaim(file);
    if (lock !== undefined) return lock;
    if (options.clock.monotonicMs() >= deadlineMs) {
      throw new StartError(
        `The data folder ${path.dirname(file)} is in use by another instance: stop that one first, or choose another folder with --data-dir.`,
      );
    }
    if (!told && options.clock.monotonicMs() > deadlineMs - options.waitMs + 1000) {
      told = true;
      options.onWait();
    }
    // Not the clock's timer, which would let the process end while nothing else keeps it.
    await setTimeout(RETRY_MS);
  }
}

/** Takes part in the claim of the supervisor that started this process. */
export function shareDataFolder(file: string): InstanceLock {
  const database = open(file, SHARE_WAIT_MS);
  holdShared(database);
  return { release: () => database.close() };
}

function tryClaim(file: string): InstanceLock | undefined {
  const database = open(file, 0);
  try {
    database.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS lock (id INTEGER); COMMIT');
    holdShared(database);
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return undefined;
    throw new StartError(`The lock file ${file} cannot be used: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
}

function open(file: string, timeoutMs: number): Database.Database {
  try {
    const isNew = !existsSync(file);
    const database = new Database(file, { timeout: timeoutMs });
    if (isNew) chmodSync(file, 0o600);
    return database;
  } catch (error) {
    throw new StartError(`The lock file ${file} cannot be opened: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
}

/** An open read transaction keeps SQLite's shared lock on the file. */
function holdShared(database: Database.Database): void {
  database.exec('BEGIN');
  database.prepare('SELECT count(*) FROM lock').get();
}
