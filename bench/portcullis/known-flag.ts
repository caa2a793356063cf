import { spawnSync } from 'node:child_process';
import path from 'node:path';

const helps = new Map<string, string>();

/** `flag` where the command line of this checkout has it; undefined in one that is too old for it. */
export function knownFlag(checkout: string, flag: string): string | undefined {
  const help = helps.get(checkout) ?? askForHelp(checkout);
  helps.set(checkout, help);
  return help.includes(`${flag} <`) ? flag : undefined;
}

function askForHelp(checkout: string): string {
  const words = [path.join(checkout, 'src', 'cli', 'main.ts'), 'start', '--help'];
  return spawnSync(process.execPath, words, { encoding: 'utf8' }).stdout;
}
