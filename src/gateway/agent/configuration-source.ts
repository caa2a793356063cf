import { type ConfigurationApplier, type HealthReport, Journal, Subscriber } from '../../distribution/gateway-side.ts';
import type { GatewayOptions } from '../gateway-options.ts';

/** Where a gateway's configuration comes from. */
export interface ConfigurationSource {
  /** Resolves when what is kept on this machine is in force; goes on by itself afterwards. Never rejects. */
  start(): Promise<void>;
  /** A worker has died: what is in force has to prove itself once more. */
  restartProbation(): void;
  /** The control plane can be reached at present. */
  isConnected(): boolean;
  /** Lets people know what the nodes of upstreams are taken for. */
  reportHealth(report: HealthReport): void;
  /** Resolves when nothing is being applied any more. */
  stop(): Promise<void>;
  /** Keeps what is to be kept. Comes last. */
  close(): Promise<void>;
}

/** Opens a source that puts configuration in force by `applier` and tells each time that nothing newer is known of. */
export type OpenConfigurationSource = (
  options: GatewayOptions,
  applier: ConfigurationApplier,
  onCurrent: (revision: number) => void,
) => Promise<ConfigurationSource>;

/** The disk journal first, then the control plane. */
export const openControlPlaneSource: OpenConfigurationSource = async (options, applier, onCurrent) => {
  const { dataFolder, identity, allowOlder, controlPlanes, previousExit, clock, random, log, softwareVersion } = options;
  const journal = await Journal.open({ folder: dataFolder, groupId: identity.groupId, allowOlder, random, log });
  const subscriber = new Subscriber({
    controlPlanes,
    identity,
    applier,
    journal,
    previousEnd: previousExit.kind === 'replaced' ? 'clean' : previousExit.kind,
    clock,
    log,
    random,
    softwareVersion,
    onCurrent,
    onAuthorities: (authority) => options.onAuthorities?.(authority),
    onRefused: (revision, reason) => log.error('a revision was refused', { revision, cause: reason }),
  });
  options.onIdentityUser?.((renewed) => subscriber.useIdentity(renewed));
  return {
    start: () => subscriber.start(),
    restartProbation: () => subscriber.restartProbation(),
    isConnected: () => subscriber.isConnected,
    reportHealth: (report) => subscriber.reportHealth(report),
    stop: () => subscriber.stop(),
    close: () => journal.close(),
  };
};
