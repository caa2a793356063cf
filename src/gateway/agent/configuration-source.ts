import { availableParallelism, hostname } from 'node:os';
import {
  type ConfigurationApplier,
  type HealthReport,
  Journal,
  parseSnapshotKey,
  SnapshotFollower,
  SnapshotTaker,
  type StateCheckResult,
  Subscriber,
  type UsageLink,
} from '../../distribution/gateway-side.ts';
import { StartError } from '../../errors/index.ts';
import { createDialPolicy } from '../../lib/dial-policy.ts';
import type { SnapshotDelta } from '../../schema/index.ts';
import type { GatewayOptions, SnapshotOptions } from '../gateway-options.ts';
import { failingConfiguration } from './failing-configuration.ts';

/** Where a gateway's configuration comes from. */
export interface ConfigurationSource {
  /** Resolves when what is kept on this machine is in force; goes on by itself afterwards. Never rejects. */
  start(): Promise<void>;
  /** A worker has died: what is in force has to prove itself once more. */
  restartProbation(): void;
  /** The control plane can be reached at present. */
  isConnected(): boolean;
  /** The newest revision that a control plane has named on the present connection, when what is in force is of its history. */
  newestRevision(): number | undefined;
  /** Whether what is held is what the control plane has; undefined before that was compared for the first time. */
  stateCheck(): StateCheckResult | undefined;
  /** Lets people know what the nodes of upstreams are taken for. */
  reportHealth(report: HealthReport): void;
  /** Where what workers have counted goes; undefined while no control plane is connected. */
  usageLink(): UsageLink | undefined;
  /** Resolves when nothing is being applied any more but what `follow` brings. Writes go on to count the instance until `stop`, or until the process that takes over is connected. */
  handOver(): Promise<void>;
  /** After `handOver`: puts in force what the process that took over has. Rejects when that is not possible. */
  follow(delta: SnapshotDelta): Promise<void>;
  /** Resolves when nothing is being applied any more. */
  stop(): Promise<void>;
  /** Keeps what is to be kept. Comes last. */
  close(): Promise<void>;
}

/** Who is told the time that control planes tell, in milliseconds since 1970. */
export interface ToldTimes {
  /** When the snapshot in force was made. */
  noteSnapshot(createdAtMs: number): void;
  /** By what time the control plane that is connected lets things expire now. */
  noteControlPlaneTime(nowMs: number): void;
}

/** Opens a source that puts configuration in force by `applier`, and tells each time that nothing newer is known of. */
export type OpenConfigurationSource = (
  options: GatewayOptions,
  applier: ConfigurationApplier,
  onCurrent: (revision: number) => void,
  times: ToldTimes,
) => Promise<ConfigurationSource>;

/** The disk journal first, then a snapshot where one is named, then the control planes, where there are any. */
export const openControlPlaneSource: OpenConfigurationSource = async (options, applier, onCurrent, times) => {
  const { dataFolder, identity, allowOlder, controlPlanes, previousExit, clock, random, log, softwareVersion, snapshot } = options;
  const taker = snapshot === undefined ? undefined : snapshotTaker(options, snapshot, (createdAtMs) => times.noteSnapshot(createdAtMs));
  const journal = await Journal.open({ folder: dataFolder, groupId: identity.groupId, allowOlder, random, log });
  const previousEnd = previousExit.kind === 'replaced' ? 'clean' : previousExit.kind;
  if (taker !== undefined && snapshot !== undefined && controlPlanes.length === 0) {
    const { intervalMs } = snapshot;
    return snapshotSource(
      new SnapshotFollower({ applier, journal, taker, intervalMs, previousEnd, clock, random, log, onCurrent }),
      journal,
    );
  }
  const subscriber = new Subscriber({
    controlPlanes,
    identity,
    applier: options.testHooks ? failingConfiguration(applier) : applier,
    journal,
    previousEnd,
    former: options.former,
    clock,
    log,
    random,
    softwareVersion,
    facts: { hostname: hostname(), cores: availableParallelism(), workers: options.workers.length },
    onCurrent,
    onAuthorities: (authority) => options.onAuthorities?.(authority),
    onTime: (nowMs) => times.noteControlPlaneTime(nowMs),
    onRefused: (revision, reason) => log.error('a revision was refused', { revision, cause: reason }),
    ...(taker === undefined ? {} : { beforeConnecting: (held, signal) => taker.takeBeforeConnecting(held, signal) }),
  });
  options.onIdentityUser?.((renewed) => subscriber.useIdentity(renewed));
  return {
    start: () => subscriber.start(),
    restartProbation: () => subscriber.restartProbation(),
    isConnected: () => subscriber.isConnected,
    newestRevision: () => subscriber.newestRevision,
    stateCheck: () => subscriber.stateCheck,
    reportHealth: (report) => subscriber.reportHealth(report),
    usageLink: () => subscriber.usageLink,
    handOver: () => subscriber.handOver(),
    follow: (delta) => subscriber.follow(delta),
    stop: () => subscriber.stop(),
    close: () => journal.close(),
  };
};

function snapshotTaker(options: GatewayOptions, snapshot: SnapshotOptions, onFresh: (createdAtMs: number) => void): SnapshotTaker {
  const { allowOlder, dataFolder, clock, log, dial, protectedPorts } = options;
  const key = parseSnapshotKey(snapshot.key);
  if (key === undefined) throw new StartError('PORTCULLIS_SNAPSHOT_KEY is no snapshot key: portcullis snapshot key shows it.');
  if (key.groupId !== options.identity.groupId) {
    throw new StartError(`The snapshot key is of the gateway group "${key.groupId}", this gateway of "${options.identity.groupId}".`);
  }
  const mayDial = createDialPolicy({ protectedPorts, ...dial });
  return new SnapshotTaker({
    place: snapshot.place,
    maxBytes: snapshot.maxBytes,
    key,
    allowOlder,
    folder: dataFolder,
    mayDial,
    clock,
    log,
    onFresh,
  });
}

/** Of a gateway that no control plane knows. */
function snapshotSource(follower: SnapshotFollower, journal: Journal): ConfigurationSource {
  return {
    start: () => follower.start(),
    restartProbation: () => follower.restartProbation(),
    isConnected: () => false,
    newestRevision: () => undefined,
    stateCheck: () => undefined,
    reportHealth: () => undefined,
    // Nobody ever takes it: it is kept in one batch of bounded size.
    usageLink: () => undefined,
    handOver: () => follower.stop(),
    follow: () => Promise.reject(new Error('a snapshot is followed, and nobody else')),
    stop: () => follower.stop(),
    close: () => journal.close(),
  };
}
