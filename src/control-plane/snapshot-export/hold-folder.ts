import { open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { type FileLock, takeFileLock } from '../../store/index.ts';

/** Says whose turn it is, also to software that knows no lock. */
const TURN_NAME = '.exporting';
/** Held by whoever has the turn: a stop of any length does not lose it, and the end of the process does. */
const LOCK_NAME = '.exporting.lock';
/** Whoever has had the turn for so long and does not hold the lock has died. */
const ABANDONED_MS = 60_000;
const PAUSE_MS = 100;
const ATTEMPTS = 50;

/**
 * Does something in a folder that one process at a time may do, on this machine or on any that mounts it: a file that only one can make says whose
 * turn it is, and a lock of the kernel whether that one lives. @throws Error when another holds the folder for too long, what `work` throws
 */
export async function holdFolder<Result>(folder: string, clock: Clock, work: () => Promise<Result>): Promise<Result> {
  const turn = path.join(folder, TURN_NAME);
  const lock = await untilHeld(folder, clock, () => takeTurn(turn, path.join(folder, LOCK_NAME), clock));
  try {
    return await work();
  } finally {
    await rm(turn, { force: true });
    lock.release();
  }
}

async function untilHeld(folder: string, clock: Clock, take: () => Promise<FileLock | undefined>): Promise<FileLock> {
  for (let attempt = 1; ; attempt += 1) {
    const lock = await take();
    if (lock !== undefined) return lock;
    if (attempt >= ATTEMPTS) throw new Error(`another control plane has been exporting to ${folder} for too long`);
    await new Promise<void>((resolve) => clock.schedule(PAUSE_MS, resolve));
  }
}

async function takeTurn(turn: string, lockFile: string, clock: Clock): Promise<FileLock | undefined> {
  if ((await stateOf(turn, clock)) === 'taken') return undefined;
  const lock = await takeLock(lockFile);
  if (lock === undefined) return undefined;
  const state = await stateOf(turn, clock);
  // Whoever made the file so long ago does not hold the lock, and so is gone.
  if (state === 'abandoned') await rm(turn, { force: true });
  if (state !== 'taken' && (await make(turn))) return lock;
  lock.release();
  return undefined;
}

/** `abandoned`: for longer than a turn takes, unless somebody holds the lock. */
async function stateOf(turn: string, clock: Clock): Promise<'free' | 'taken' | 'abandoned'> {
  const status = await stat(turn).catch(() => undefined);
  if (status === undefined) return 'free';
  return clock.nowMs() - status.mtimeMs > ABANDONED_MS ? 'abandoned' : 'taken';
}

/** Where a file system has no locks, the file alone decides. */
async function takeLock(file: string): Promise<FileLock | undefined> {
  return takeFileLock(file).catch(() => WITHOUT_LOCK);
}

const WITHOUT_LOCK: FileLock = { release: () => undefined };

async function make(turn: string): Promise<boolean> {
  try {
    await (await open(turn, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
