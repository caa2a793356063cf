import { open } from 'node:fs/promises';
import { decodeSnapshotHeader, SNAPSHOT_HEADER_BYTES, type SnapshotHeader } from '../../distribution/index.ts';
import type { FinishedSnapshot } from './export-target.ts';

/**
 * Whether a snapshot may take the place of the latest, whose beginning is `present`: not of one of a later revision, nor of one of the same revision
 * that was made later, for several control planes export to one place. What is no snapshot of this installation gives way, and so does what is
 * beyond the store's own revision: it is of a store that was set back since.
 */
export async function mayReplaceLatest(present: Buffer | undefined, snapshot: FinishedSnapshot): Promise<boolean> {
  const there = present === undefined ? undefined : headerOf(present);
  const come = headerOf(await readBeginning(snapshot.file));
  if (there === undefined || come === undefined || there.signingKey !== come.signingKey || there.groupId !== come.groupId) return true;
  if (there.revision < come.revision) return true;
  if (there.revision === come.revision) return there.createdAtMs <= come.createdAtMs;
  return there.revision > (await snapshot.newestRevision());
}

/** As much of a file as holds the header. @throws Error when it cannot be read */
export async function readBeginning(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const bytes = Buffer.alloc(SNAPSHOT_HEADER_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function headerOf(bytes: Buffer): SnapshotHeader | undefined {
  try {
    return decodeSnapshotHeader(bytes);
  } catch {
    return undefined;
  }
}
