import { SNAPSHOT_KEY_BYTES, type SnapshotKey, snapshotKeyOf } from '../../distribution/index.ts';
import type { Random } from '../../lib/random.ts';
import type { Author, Store } from '../../store/index.ts';
import type { Installation } from '../installation.ts';

const SYSTEM: Author = { id: 'system', name: 'system' };

/** The key that opens a group's exported snapshots, made on first use and kept encrypted in the store. Other control planes get the same. */
export async function groupSnapshotKey(options: {
  readonly store: Store;
  readonly groupId: string;
  readonly installation: Installation;
  readonly random: Random;
}): Promise<SnapshotKey> {
  const { store, groupId, installation, random } = options;
  const name = `snapshot-key:${groupId}`;
  const kept = await store.getSetting(name);
  const secret =
    kept ??
    (await store.transaction(SYSTEM, async (transaction) => {
      // Another process may have been quicker.
      const existing = await transaction.getSetting(name);
      if (existing !== undefined) return existing;
      const made = random.bytes(SNAPSHOT_KEY_BYTES);
      await transaction.putSetting(name, made, { secret: true });
      return made;
    }));
  return snapshotKeyOf({ groupId, secret, signingKey: installation.signingKey });
}
