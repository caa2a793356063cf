import path from 'node:path';
import { isInsideFolder } from '../../lib/is-inside-folder.ts';

/** What Linux takes at most (`PATH_MAX` with its final zero, `NAME_MAX`). */
const MAX_PATH_BYTES = 4095;
const MAX_NAME_BYTES = 255;

/**
 * Why no file could ever be appended to under this path, as far as its text tells; undefined where nothing speaks against it. What lies
 * on the gateways' disks is not known here: they judge again, with links followed, when they open it.
 */
export function findPathProblem(file: string, closedFolders: readonly string[]): string | undefined {
  if (file === '') return 'the path of a log file must not be empty';
  if (hasControls(file)) return 'the path of a log file must not hold control characters';
  const names = file.split('/');
  const last = names.at(-1) ?? '';
  if (last === '' || last === '.' || last === '..') return 'the path of a log file must name a file, not a folder';
  const isTooLong = Buffer.byteLength(file) > MAX_PATH_BYTES || names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  if (isTooLong) return `the path of a log file must have at most ${MAX_PATH_BYTES} bytes, and ${MAX_NAME_BYTES} between slashes`;
  const isClosed = path.isAbsolute(file) && closedFolders.some((folder) => isInsideFolder(path.normalize(file), folder));
  return isClosed ? "the path of a log file must not lead into Portcullis's own data" : undefined;
}

function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
