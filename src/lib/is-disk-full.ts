import { statfsSync } from 'node:fs';

/** With less a database can neither open its log nor write to it. */
const LEAST_ROOM_BYTES = 1024 * 1024;

/** Whether the disk of a folder has no room that is worth the name. False where that cannot be found out. */
export function isDiskFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < LEAST_ROOM_BYTES;
  } catch {
    return false;
  }
}
