/** Where snapshots are put. Nothing of a snapshot may be read there before it is whole. */
export interface ExportTarget {
  /** For logs, without a secret. */
  readonly description: string;
  /** Puts a finished file there, by its revision, and as the latest of its group unless a later one is there. @throws Error with a reason for people */
  put(snapshot: FinishedSnapshot): Promise<void>;
}

/** A snapshot that lies whole on this machine. */
export interface FinishedSnapshot {
  readonly groupId: string;
  readonly revision: number;
  readonly file: string;
  /** The group's revision in the store now. */
  readonly newestRevision: () => Promise<number>;
}

const PLAIN_NAME = /^(?!_hex_)[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;

/** The part of a name that stands for a group: the id where that has no meaning in paths and URLs, else its bytes as `_hex_…`. */
export function groupPart(groupId: string): string {
  return PLAIN_NAME.test(groupId) ? groupId : `_hex_${Buffer.from(groupId).toString('hex')}`;
}

/** Names sort by revision. */
export function revisionName(revision: number): string {
  return `${String(revision).padStart(12, '0')}.snapshot`;
}

export const LATEST_NAME = 'latest.snapshot';
