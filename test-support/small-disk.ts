import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

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
