import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { KeptSignedTime } from './signed-time.ts';

/** What a restart must not make anybody forget. Wall-clock milliseconds; 0: never. */
export interface ContactTimes extends KeptSignedTime {
  readonly latestMs: number;
  readonly contactMs: number;
  readonly confirmedMs: number;
}

const FILE = 'contact.json';

/** Zeros where nothing was kept, or what was kept cannot be read. */
export async function readContactTimes(folder: string): Promise<ContactTimes> {
  const fields: unknown = await readFile(path.join(folder, FILE), 'utf8')
    .then((text): unknown => JSON.parse(text))
    .catch(() => undefined);
  const time = (name: string): number => {
    const value: unknown = typeof fields === 'object' && fields !== null ? Reflect.get(fields, name) : undefined;
    return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
  };
  return {
    ...{ latestMs: time('latestMs'), contactMs: time('contactMs'), confirmedMs: time('confirmedMs') },
    ...{ signedMs: time('signedMs'), floorMs: time('floorMs') },
  };
}

/** Replaces the file as a whole. Not forced to disk: at worst a minute is forgotten. */
export async function writeContactTimes(folder: string, times: ContactTimes): Promise<void> {
  const file = path.join(folder, FILE);
  await writeFile(`${file}.new`, JSON.stringify(times), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
