import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { syncFolder } from '../../lib/sync-folder.ts';
import { type ExportTarget, type FinishedSnapshot, groupPart, LATEST_NAME, revisionName } from './export-target.ts';
import { holdFolder } from './hold-folder.ts';
import { mayReplaceLatest, readBeginning } from './may-replace-latest.ts';

/** A draft that nobody has written to for this long is of a process that died. */
const ABANDONED_MS = 3_600_000;
const DRAFT_NAME = /\.snapshot\.[0-9a-f]{12}\.draft$/;
const REVISION_NAME = /^\d{12,16}\.snapshot$/;

/**
 * A folder of this machine, or one that is mounted: `<folder>/<group>/<revision>.snapshot` and `latest.snapshot`, each of which appears as
 * a whole and on disk. The newest `keep` revisions stay, and the latest never goes back.
 */
export function folderTarget(options: {
  readonly folder: string;
  readonly keep: number;
  readonly clock: Clock;
  readonly random: Random;
}): ExportTarget {
  const { folder, keep, clock, random } = options;
  return {
    description: folder,
    async put(snapshot) {
      const group = path.join(folder, groupPart(snapshot.groupId));
      await mkdir(group, { recursive: true, mode: 0o700 });
      await place(snapshot, path.join(group, revisionName(snapshot.revision)), random);
      await holdFolder(group, clock, async () => {
        const latest = path.join(group, LATEST_NAME);
        const present = await readBeginning(latest).catch(() => undefined);
        if (await mayReplaceLatest(present, snapshot)) await place(snapshot, latest, random);
      });
      await syncFolder(group);
      await removeOld(group, keep);
      await removeAbandoned(group, clock.nowMs());
    },
  };
}

async function place({ file }: FinishedSnapshot, target: string, random: Random): Promise<void> {
  const draft = `${target}.${random.bytes(6).toString('hex')}.draft`;
  try {
    await copyFile(file, draft, constants.COPYFILE_EXCL);
    await sync(draft);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeOld(group: string, keep: number): Promise<void> {
  const revisions = (await readdir(group)).filter((name) => REVISION_NAME.test(name));
  const byRevision = revisions.sort((one, other) => Number.parseInt(other, 10) - Number.parseInt(one, 10));
  for (const name of byRevision.slice(keep)) await rm(path.join(group, name), { force: true });
}

async function removeAbandoned(group: string, nowMs: number): Promise<void> {
  for (const name of (await readdir(group)).filter((each) => DRAFT_NAME.test(each))) {
    const draft = path.join(group, name);
    // Another control plane may have finished it in this moment.
    const status = await stat(draft).catch(() => undefined);
    if (status !== undefined && nowMs - status.mtimeMs > ABANDONED_MS) await rm(draft, { force: true });
  }
}
