import { chownSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { RunAs } from '../../supervisor/index.ts';
import { type BannerFirstStart, firstStartLines } from './banner.ts';

/**
 * Decides where the secrets of a first start are shown: on a terminal, or else in `first-start.txt` (0600) in the data folder, so
 * that they end up in no log of whatever collects standard output.
 */
export function showFirstStart(
  shown: Extract<BannerFirstStart, { kind: 'shown' }> | undefined,
  options: { readonly dataFolder: string; readonly terminal: boolean; readonly owner: RunAs | undefined },
): BannerFirstStart | undefined {
  if (shown === undefined || options.terminal || (shown.password === null && shown.token === null)) return shown;
  const file = path.join(options.dataFolder, 'first-start.txt');
  writeFileSync(file, `${firstStartLines(shown).join('\n')}\n`, { mode: 0o600 });
  if (options.owner !== undefined) chownSync(file, options.owner.uid, options.owner.gid);
  return { kind: 'file', file };
}
