import { readFileSync } from 'node:fs';
import { StartError } from '../errors/index.ts';

/** The user and group that child processes run as. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Decides who the children run as: nobody else unless the supervisor is root; then `--user`, or root itself with `--allow-root`.
 *
 * @throws StartError for root with neither, an unknown user, or `--user` without being root.
 */
export function runAs(options: {
  readonly user: string | undefined;
  readonly allowRoot: boolean;
  readonly currentUid: number | undefined;
  readonly readAccounts?: (file: string) => string;
}): RunAs | undefined {
  if (options.currentUid !== 0) {
    if (options.user !== undefined) throw new StartError('--user needs a start as root: leave it out, or start with sudo.');
    return undefined;
  }
  if (options.user === undefined) {
    if (options.allowRoot) return undefined;
    throw new StartError('Portcullis does not serve as root: name a user with --user, or insist with --allow-root.');
  }
  const read = options.readAccounts ?? ((file: string) => readFileSync(file, 'utf8'));
  const [user = '', group] = options.user.split(':');
  const account = find(read('/etc/passwd'), user);
  const uid = account === undefined ? number(user) : number(account[2]);
  const gid = group === undefined ? number(account?.[3]) : (number(find(read('/etc/group'), group)?.[2]) ?? number(group));
  if (uid === undefined || gid === undefined)
    throw new StartError(`There is no user or group "${options.user}" on this machine: correct --user.`);
  return { uid, gid };
}

function find(accounts: string, name: string): readonly string[] | undefined {
  return accounts
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[0] === name);
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
