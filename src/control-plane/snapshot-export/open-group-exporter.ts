import { createSnapshotWriter, type SnapshotWriter } from '../../distribution/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import { PLUGIN_SCHEMAS } from '../../plugins/schemas.ts';
import type { Store } from '../../store/index.ts';
import type { Installation } from '../installation.ts';
import { toSnapshotPlugin } from '../snapshot-plugin.ts';
import { groupSnapshotKey } from './group-snapshot-key.ts';

/** What exports are made from. */
export interface GroupExporterOptions {
  readonly store: Store;
  readonly installation: Installation;
  /** Of the session of the control plane; undefined for the command line, which has none. */
  readonly historyId: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly softwareVersion: string;
}

/** What writes snapshots of one group, with the group's key. */
export async function openGroupExporter(options: GroupExporterOptions, groupId: string): Promise<SnapshotWriter> {
  const { store, installation, historyId, clock, random, log, softwareVersion } = options;
  return createSnapshotWriter({
    store,
    signingKey: installation.signingKey,
    keySalt: installation.keySalt,
    key: await groupSnapshotKey({ store, groupId, installation, random }),
    plugins: PLUGIN_SCHEMAS.map((schema) => toSnapshotPlugin(schema, log)),
    historyId,
    clock,
    random,
    softwareVersion,
  });
}
