import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Of a data folder that a trial works in: looks what is there of it, and gives what takes away again what was not. What somebody has put something
 * else into meanwhile stays.
 */
export function foldersOfTrial(dataFolder: string, lockFile: string): () => Promise<void> {
  const made: string[] = [];
  for (let folder = path.resolve(dataFolder); !existsSync(folder); folder = path.dirname(folder)) made.push(folder);
  return async () => {
    if (made.length === 0) return;
    await rm(lockFile, { force: true });
    for (const folder of made) {
      const isGone = await rmdir(folder).then(
        () => true,
        () => false,
      );
      if (!isGone) return;
    }
  };
}
