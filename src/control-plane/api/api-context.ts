import type { Publisher } from '../../distribution/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../observability/index.ts';
import type { PluginSchema } from '../../plugin-kit/index.ts';
import type { Store, StoreHistory } from '../../store/index.ts';

/** What the Admin API needs of the publisher to tell whether a change is in force. */
export type ChangeAnnouncer = Pick<Publisher, 'groupChanged' | 'waitApplied'>;

/** What the operations of the Admin API work with. */
export interface ApiContext {
  readonly store: Store & StoreHistory;
  readonly publisher: ChangeAnnouncer;
  readonly plugins: readonly PluginSchema[];
  /** Salt of the digests by which keys are unique. */
  readonly keySalt: Buffer;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted when the control plane is about to end: no answer waits for gateways any longer. */
  readonly stopping: AbortSignal;
}
