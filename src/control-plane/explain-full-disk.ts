import { StartError } from '../errors/index.ts';
import { isDiskFull } from '../lib/is-disk-full.ts';

/** Each is a cause of the one before; a circle ends somewhere. */
const MOST_CAUSES = 8;
const FULL = /^(ENOSPC|EDQUOT|SQLITE_FULL)/;
/** SQLite names so what it could not write, too. */
const BROKEN = /^SQLITE_IOERR/;

/** One sentence where a start failed for want of room, whatever was being written; every other failure as it is. */
export function explainFullDisk(error: unknown, dataFolder: string): unknown {
  if (error instanceof StartError) return error;
  const codes = codesOf(error);
  const isFull = codes.some((code) => FULL.test(code)) || (codes.some((code) => BROKEN.test(code)) && isDiskFull(dataFolder));
  if (!isFull) return error;
  return new StartError(`The disk that holds the data folder ${dataFolder} is full: free some space and start again.`, { cause: error });
}

function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  let each = error;
  for (let depth = 0; depth < MOST_CAUSES && each instanceof Error; depth++) {
    if ('code' in each && typeof each.code === 'string') codes.push(each.code);
    each = each.cause;
  }
  return codes;
}
