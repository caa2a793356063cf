import { statSync } from 'node:fs';
import type { Logger } from '../observability/index.ts';

/** Any right of users that are neither the owner nor of the file's group, which may be how a secret was mounted. */
const RIGHTS_OF_OTHERS = 0o007;

/** Says so when every user of the machine can read or change the file that opens all secrets of the store. Follows links; never throws. */
export function warnOfOpenKeyring({ keyringFile, log }: { readonly keyringFile: string; readonly log: Logger }): void {
  const mode = modeOf(keyringFile);
  if (mode === undefined || (mode & RIGHTS_OF_OTHERS) === 0) return;
  log.warn('every user of this machine can get at the keyring: chmod o= takes that away', {
    file: keyringFile,
    mode: mode.toString(8).padStart(4, '0'),
  });
}

/** Undefined where there are no such modes, and for what is not there. */
function modeOf(file: string): number | undefined {
  if (process.platform === 'win32') return undefined;
  try {
    return statSync(file).mode & 0o777;
  } catch {
    return undefined;
  }
}
