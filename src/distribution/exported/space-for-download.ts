import { statfs } from 'node:fs/promises';

/** What is verified is written once more into the disk copy before the download goes. */
const COPIES = 2;

/** How many bytes a download into this folder may have, so that the disk copy fits beside it; unbounded where nobody can tell. */
export async function spaceForDownload(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return Math.floor((bavail * bsize) / COPIES);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
