import { constants, openSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { isInsideFolder } from '../../lib/is-inside-folder.ts';

/** For appending, without waiting for a reader of a pipe, and without making the file a terminal of the process. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;

const MAX_LINKS = 16;

/** A path that lines must not go to. */
export class LinePathRefused extends Error {
  override readonly name = 'LinePathRefused';
}

/**
 * Opens a file for lines, made with mode 0600 where there is none; folders are not made. Paths that lead into one of `forbiddenFolders`,
 * through symbolic links too, are refused: what is kept there is not for whoever may configure a plugin.
 *
 * @throws LinePathRefused for a relative path and a forbidden one, and the system's error
 */
export function openLineFile(file: string, forbiddenFolders: readonly string[]): number {
  if (!path.isAbsolute(file)) throw new LinePathRefused('the path of a log file must be absolute');
  const real = realPath(file);
  for (const folder of forbiddenFolders) {
    if (isInsideFolder(real, realPath(folder))) throw new LinePathRefused("the path of a log file leads into the gateway's own data");
  }
  return openSync(file, FLAGS, 0o600);
}

/** The path without symbolic links, as far as it exists. A link to nothing counts as what it would lead to. */
function realPath(file: string, linksLeft = MAX_LINKS): string {
  try {
    return realpathSync(file);
  } catch {
    const folder = path.dirname(file);
    const target = linksLeft === 0 ? undefined : readLink(file);
    if (target !== undefined) return realPath(path.resolve(realPath(folder), target), linksLeft - 1);
    return folder === file ? file : path.join(realPath(folder, linksLeft), path.basename(file));
  }
}

function readLink(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
