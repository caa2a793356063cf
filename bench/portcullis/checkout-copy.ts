import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/** What a gateway runs from. */
const PARTS = ['bin', 'src', 'package.json', 'package-lock.json'];

/**
 * A copy of a checkout that nobody edits while it is measured: of a commit, or of the files as they are. It borrows the packages of the
 * checkout, so both must get on with the same ones. Git keeps no trace of it.
 *
 * @throws RangeError when there is no such commit
 */
export function copyCheckout(checkout: string, commit: string | undefined, folder: string): void {
  if (commit === undefined) {
    for (const part of PARTS) cpSync(path.join(checkout, part), path.join(folder, part), { recursive: true });
  } else {
    const archive = archiveOf(checkout, commit);
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
  }
  const packages = path.join(folder, 'node_modules');
  if (!existsSync(packages)) symlinkSync(path.join(checkout, 'node_modules'), packages);
}

function archiveOf(checkout: string, commit: string): Buffer {
  try {
    const words = ['archive', '--format=tar', commit, '--', ...PARTS];
    return execFileSync('git', words, { cwd: checkout, maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    throw new RangeError(`there is no commit ${commit} that could be copied`);
  }
}
