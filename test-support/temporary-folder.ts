import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A fresh folder (mode 0700) that is gone when the test ends. */
export async function temporaryFolder(test: Pick<TestContext, 'after'>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'portcullis-test-'));
  // What the test has made is ended by hooks behind this one, and may still write a last file.
  test.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}
