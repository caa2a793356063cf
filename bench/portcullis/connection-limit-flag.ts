import { spawnSync } from 'node:child_process';
import path from 'node:path';

const found = new Map<string, string | undefined>();

/** The flag by which a checkout's gateway is told how many clients it may have; undefined when it has none. */
export function connectionLimitFlag(checkout: string): string | undefined {
  if (!found.has(checkout)) found.set(checkout, askForFlag(checkout));
  return found.get(checkout);
}

function askForFlag(checkout: string): string | undefined {
  const words = [path.join(checkout, 'src', 'cli', 'main.ts'), 'gateway', '--help'];
  const help = spawnSync(process.execPath, words, { encoding: 'utf8' }).stdout;
  return /--max-connections(?= <)/.exec(help)?.[0];
}
