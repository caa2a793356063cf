import { formatSnapshotKey } from '../../distribution/index.ts';
import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { Author, Store } from '../../store/index.ts';
import { type Installation, readInstallation } from '../installation.ts';
import { groupSnapshotKey } from './group-snapshot-key.ts';
import { openGroupExporter } from './open-group-exporter.ts';

/** What both commands need. */
export interface SnapshotCommandOptions {
  readonly store: Store;
  readonly groupId: string;
  readonly author: Author;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly softwareVersion: string;
}

/** Writes a snapshot of the group into a file; audited. @throws StartError when there is no such group, or no installation yet */
export async function exportSnapshot(options: SnapshotCommandOptions, file: string): Promise<{ readonly revision: number }> {
  const installation = await installationOf(options);
  const writer = await openGroupExporter({ ...options, installation, historyId: undefined }, options.groupId);
  const { revision } = await writer.write(file);
  await audit(options, 'snapshot.export', { revision });
  return { revision };
}

/** The key that opens the group's snapshots, as a gateway is given it; that it was shown is audited. @throws StartError like `exportSnapshot` */
export async function showSnapshotKey(options: SnapshotCommandOptions): Promise<string> {
  const key = await groupSnapshotKey({ ...options, installation: await installationOf(options) });
  await audit(options, 'snapshot.show_key', {});
  return formatSnapshotKey(key);
}

async function installationOf({ store, groupId }: SnapshotCommandOptions): Promise<Installation> {
  const installation = await readInstallation(store);
  if (installation === undefined) throw new StartError('The first start of this control plane was never completed: start it once.');
  if ((await store.getGroup(groupId)) === undefined) throw new StartError(`There is no gateway group "${groupId}".`);
  return installation;
}

function audit({ store, author, clock, groupId }: SnapshotCommandOptions, action: string, detail: { revision?: number }): Promise<void> {
  const at = Math.floor(clock.nowMs() / 1000);
  return store.transaction(author, (transaction) =>
    transaction.appendAudit({ at, author, action, groupId, resource: groupId, address: undefined, detail }),
  );
}
