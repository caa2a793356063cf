import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { SignedMessages, type SignedMessagesOptions } from '../signed-messages.ts';
import { Signer } from '../signing.ts';
import { fingerprintOf, type SnapshotKey } from '../snapshot-key.ts';
import { type SnapshotPlugin, SnapshotPlugins } from '../snapshot-plugins.ts';
import { writeSnapshotFile } from './write-snapshot-file.ts';

/** What a writer of snapshots is made from. */
export interface SnapshotWriterOptions {
  readonly store: SignedMessagesOptions['store'];
  /** Ed25519 private key, PEM. */
  readonly signingKey: string;
  /** The salt of `digestKey`. */
  readonly keySalt: Buffer;
  readonly key: SnapshotKey;
  readonly plugins: readonly SnapshotPlugin[];
  /** The session of the control plane, so that a gateway that starts from the file gets a delta from there. */
  readonly historyId: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly softwareVersion: string;
}

/** Writes snapshots of one group. */
export interface SnapshotWriter {
  /** See `writeSnapshotFile`. */
  write(file: string): Promise<{ readonly revision: number }>;
}

/** @throws Error when the signing key is of no use */
export function createSnapshotWriter(options: SnapshotWriterOptions): SnapshotWriter {
  const { store, keySalt, key, historyId, clock, random, softwareVersion } = options;
  const signer = new Signer(options.signingKey);
  const plugins = new SnapshotPlugins(options.plugins, keySalt);
  const messages = new SignedMessages(key.groupId, { store, signer, plugins, history: historyId });
  return { write: (file) => writeSnapshotFile(file, { messages, signer, key, keySalt, nowMs: clock.nowMs(), random, softwareVersion }) };
}

/** The key of a group's snapshots, bound to the key that signs them (PEM). */
export function snapshotKeyOf(options: { readonly groupId: string; readonly secret: Buffer; readonly signingKey: string }): SnapshotKey {
  const { groupId, secret, signingKey } = options;
  return { groupId, secret, fingerprint: fingerprintOf(new Signer(signingKey).publicKey) };
}
