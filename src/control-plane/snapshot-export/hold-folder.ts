import { open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';

const LOCK_NAME = '.exporting';
/** Nobody holds a folder for so long: who made the file has died. */
const ABANDONED_MS = 60_000;
const PAUSE_MS = 100;
const ATTEMPTS = 50;

/**
 * Does something in a folder that one process at a time may do, on this machine or on any that mounts it: a file that only one can make says whose
 * turn it is. @throws Error when another holds the folder for too long, what `work` throws
 */
export async function holdFolder<Result>(folder: string, clock: Clock, work: () => Promise<Result>): Promise<Result> {
  const lock = path.join(folder, LOCK_NAME);
  for (let attempt = 1; !(await make(lock)); attempt += 1) {
    const status = await stat(lock).catch(() => undefined);
    if (status !== undefined && clock.nowMs() - status.mtimeMs > ABANDONED_MS) await rm(lock, { force: true });
    else if (attempt >= ATTEMPTS) throw new Error(`another control plane has been exporting to ${folder} for too long`);
    else await new Promise<void>((resolve) => clock.schedule(PAUSE_MS, resolve));
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function make(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
