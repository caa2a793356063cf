import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BLOCK_BYTES = 4096;

/** A folder on a disk of its own of so many bytes, in memory; undefined, and said aloud, where this process may not make one. */
export async function makeSmallDisk(test: Pick<TestContext, 'after' | 'diagnostic'>, bytes: number): Promise<string | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), 'portcullis-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', folder]);
  } catch {
    await rmdir(folder);
    test.diagnostic('no small disk: mounting one needs Linux and root');
    return undefined;
  }
  test.after(async () => {
    // Lazily, for what may still have a file open there.
    await run('umount', ['--lazy', folder]);
    await rmdir(folder);
  });
  return folder;
}

/** Whether that could be done: a disk on which files are open for writing does not become read-only. */
export async function isRemounted(folder: string, mode: 'ro' | 'rw'): Promise<boolean> {
  return run('mount', ['-o', `remount,${mode}`, folder]).then(
    () => true,
    () => false,
  );
}

/** Takes all room that is left, to the last block. */
export function fillDisk(file: string): void {
  const block = Buffer.alloc(BLOCK_BYTES);
  for (;;) {
    try {
      writeFileSync(file, block, { flag: 'a' });
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'ENOSPC', String(error));
      return;
    }
  }
}
