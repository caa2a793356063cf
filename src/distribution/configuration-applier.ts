import type { SnapshotDelta, SnapshotItem } from '../schema/snapshot.ts';

/** What comes with a snapshot. */
export interface SnapshotMeta {
  readonly revision: number;
  /** The salt of `digestKey` for all digests from here on. */
  readonly keySalt: Buffer;
}

/**
 * Puts configuration in force on all workers of an instance. Calls come one after the other. A promise that resolves says that
 * every request from now on sees the new configuration; one that rejects says that everything is as before, and the error's
 * message is the reason that people get to read.
 */
export interface ConfigurationApplier {
  /**
   * Replaces everything. The items were read while writes went on, so two of them may hold the same digest for a moment; the
   * one that comes later counts until the next delta has put it right.
   */
  loadSnapshot(items: AsyncIterable<readonly SnapshotItem[]>, meta: SnapshotMeta): Promise<void>;
  /**
   * Lays changes over what is in force. To delete what is not there is no error. A delta with equal revisions only takes access
   * away (credentials, consumers, keys) on behalf of a revision that was refused.
   */
  applyDelta(delta: SnapshotDelta): Promise<void>;
}
