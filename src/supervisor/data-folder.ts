import { chmodSync, lchownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { StartError } from '../errors/index.ts';
import type { RunAs } from './run-as.ts';

/** The layout of a data folder; a program refuses a folder whose number is higher than its own. */
const FOLDER_FORMAT = 1;
const FORMAT_FILE = 'format.json';

/**
 * Makes the data folder (0700) when there is none, and sees whether this program may use it. Changes nothing in one that exists,
 * because another instance may be running there.
 *
 * @throws StartError when it is no folder, cannot be written or was made by a newer version.
 */
export function openDataFolder(folder: string): void {
  explainingProblems(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!statSync(folder).isDirectory()) throw new StartError(`${folder} is not a folder: choose another with --data-dir.`);
    const format = readFormat(path.join(folder, FORMAT_FILE));
    if (format !== undefined && format > FOLDER_FORMAT) {
      throw new StartError(
        `The data folder ${folder} was made by a newer version of Portcullis: start that version, or choose another folder with --data-dir.`,
      );
    }
    const probe = path.join(folder, `.write-probe-${process.pid}`);
    writeFileSync(probe, '', { mode: 0o600 });
    rmSync(probe);
  });
}

/**
 * Completes a data folder that this instance has claimed: nobody else may read it, its parts are there, and all of it belongs to
 * the user that the children run as.
 *
 * @throws StartError when it cannot be written.
 */
export function settleDataFolder(folder: string, owner: RunAs | undefined): void {
  explainingProblems(folder, () => {
    if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
    const mark = path.join(folder, FORMAT_FILE);
    if (readFormat(mark) === undefined) writeFileSync(mark, `${JSON.stringify({ format: FOLDER_FORMAT })}\n`, { mode: 0o600 });
    for (const name of ['gateway', 'logs']) mkdirSync(path.join(folder, name), { recursive: true, mode: 0o700 });
    if (owner === undefined) return;
    for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]) {
      // The link itself, never what it points to.
      lchownSync(path.join(folder, name), owner.uid, owner.gid);
    }
  });
}

function explainingProblems(folder: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof StartError) throw error;
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new StartError(
      `The data folder ${folder} cannot be written (${reason}): correct its owner and mode, or choose another with --data-dir.`,
      {
        cause: error,
      },
    );
  }
}

function readFormat(file: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'format' in parsed && typeof parsed.format === 'number') return parsed.format;
  } catch {
    // Falls through to the same sentence as any other unreadable mark.
  }
  throw new StartError(`${file} is damaged: restore it from a backup, or choose another folder with --data-dir.`);
}
