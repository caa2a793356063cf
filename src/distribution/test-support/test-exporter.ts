import { randomBytes } from 'node:crypto';
import { FakeClock } from '../../../test-support/fake-clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { createSnapshotWriter, snapshotKeyOf } from '../exported/create-snapshot-writer.ts';
import { createSigningKey } from '../signing.ts';
import type { SnapshotKey } from '../snapshot-key.ts';
import { MemoryStore } from './memory-store.ts';
import { TEST_PLUGINS } from './test-plugins.ts';

/** A control plane of one group, which exports. */
export class TestExporter {
  readonly store: MemoryStore;
  readonly signingKey = createSigningKey();
  readonly key: SnapshotKey;
  readonly keySalt = randomBytes(32);

  constructor(groupId = 'default', secret: Buffer = randomBytes(32)) {
    this.store = new MemoryStore(groupId);
    this.key = snapshotKeyOf({ groupId, secret, signingKey: this.signingKey });
  }

  async write(file: string, store = this.store): Promise<number> {
    const { signingKey, keySalt, key } = this;
    const options = { signingKey, keySalt, key, plugins: TEST_PLUGINS, historyId: 'a session', clock: new FakeClock() };
    const writer = createSnapshotWriter({ ...options, store, random: systemRandom, softwareVersion: '0' });
    return (await writer.write(file)).revision;
  }
}
