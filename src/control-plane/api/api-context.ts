import type { Publisher } from '../../distribution/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { DialPolicy } from '../../lib/dial-policy.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/index.ts';
import type { PluginSchema } from '../../plugin-kit/index.ts';
import type { InstanceRegistry, Store, StoreHistory, UsageStore } from '../../store/index.ts';
import type { JoiningContext } from '../joining/index.ts';
import type { People } from '../people/index.ts';
import type { SnapshotExporter } from '../snapshot-export/index.ts';

/** What the Admin API needs of the publisher to tell whether a change is in force, and for whom. */
export type ChangeAnnouncer = Pick<Publisher, 'groupChanged' | 'waitApplied' | 'instances'>;

/** What the operations of the Admin API work with. */
export interface ApiContext {
  readonly store: Store & StoreHistory;
  readonly usage: UsageStore;
  readonly publisher: ChangeAnnouncer;
  /** Which gateways there are, of all control planes. */
  readonly registry: InstanceRegistry;
  readonly plugins: readonly PluginSchema[];
  /** Salt of the digests by which keys are unique. */
  readonly keySalt: Buffer;
  /** Absolute paths of files and folders of the product itself: no plugin may be told to write there. */
  readonly closedFolders: readonly string[];
  readonly clock: Clock;
  readonly people: People;
  /** Which addresses an outgoing connection may go to. */
  readonly mayDial: DialPolicy;
  /** Makes ids and keys. */
  readonly random: Random;
  readonly log: Logger;
  /** How gateways join. */
  readonly joining: JoiningContext;
  /** What exports snapshots on a schedule; undefined where nothing is to be exported. */
  readonly exporter: Pick<SnapshotExporter, 'description' | 'states'> | undefined;
  /** Aborted when the control plane is about to end: no answer waits for gateways any longer. */
  readonly stopping: AbortSignal;
}
