import path from 'node:path';

/** Whether an absolute path is a folder or lies in it, by its text alone: links are not followed. */
export function isInsideFolder(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return relative === '' || (relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative));
}
