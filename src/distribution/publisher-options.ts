import type { Clock } from '../lib/clock.ts';
import type { Listener } from '../lib/listener.ts';
import type { Random } from '../lib/random.ts';
import type { Logger } from '../observability/logger.ts';
import type { InstanceRegistry } from '../store/instance-registry.ts';
import type { RevisionHints, StoreReader } from '../store/store.ts';
import type { InstanceAdmission } from './admitted-peers.ts';
import type { ConfigurationHistory } from './history-sessions.ts';
import type { InstanceName } from './instance-name.ts';
import type { Enrollment } from './join-server.ts';
import type { PublisherEvents } from './publisher-events.ts';
import type { SnapshotPlugin } from './snapshot-plugins.ts';
import type { SyncTls } from './sync-server.ts';
import type { UsageReport } from './usage-report.ts';

/** Who takes what instances have counted, and writes it. */
export interface UsageTaker {
  /** Takes a message, each once. @returns the number under which it is told that it is written: never lower than the one before */
  take(name: InstanceName, report: UsageReport): number;
  /** `listener` is called whenever everything up to a number is written: committed, or known to be left out for ever. */
  onWritten(listener: (upTo: number) => void): void;
}

/** What a publisher needs. */
export interface PublisherOptions {
  readonly store: Pick<StoreReader, 'getGroup' | 'pageOfResources' | 'changesSince'> & Pick<RevisionHints, 'readStanding'>;
  readonly listeners: readonly Listener[];
  readonly tls: SyncTls;
  /** Whom to let in, beyond what certificates say, and by which authorities; absent: everybody, and those of `tls`. */
  readonly admission?: InstanceAdmission;
  /** Absent: no certificates are to be had. */
  readonly enrollment?: Enrollment;
  /** Ed25519 private key, PEM. */
  readonly signingKey: string;
  /** The salt of `digestKey`. */
  readonly keySalt: Buffer;
  /** Every plugin that may be configured. */
  readonly plugins: readonly SnapshotPlugin[];
  /** Of this start of the control plane, from `openHistory`. */
  readonly history: ConfigurationHistory;
  /** Where control planes that share the store tell of each other's instances. */
  readonly registry?: InstanceRegistry | undefined;
  /** Told when the store turns out not to be the one that was published from: nothing must be published any more. Absent: nobody looks after that. */
  readonly onStoreReplaced?: ((error: Error) => void) | undefined;
  /**
   * Told that the store lacks what it had, with the newest revision of each group that is known: what instances hold does not lead to what is
   * there, and nothing is published any more. Told again as long as it rejects. Absent: nobody sees to that.
   */
  readonly onLostRevisions?: ((known: ReadonlyMap<string, number>) => Promise<void>) | undefined;
  /** Absent: nobody wants to know what instances have counted. */
  readonly usage?: UsageTaker;
  /** Told of what happens; absent: nobody wants to know. */
  readonly events?: PublisherEvents | undefined;
  /** How often instances compare what they hold with what the store holds; 0 for never. */
  readonly compareIntervalMs: number;
  readonly clock: Clock;
  /** The time by which things expire: instances are told it. */
  readonly expiryClock?: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  readonly log: Logger;
  readonly softwareVersion: string;
}
