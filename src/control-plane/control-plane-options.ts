import type { Clock } from '../lib/clock.ts';
import type { DialSettings } from '../lib/dial-policy.ts';
import type { Listener } from '../lib/listener.ts';
import type { Random } from '../lib/random.ts';
import type { Logger } from '../observability/index.ts';
import type { PostgresStoreOptions } from '../store/index.ts';
import type { HistoryRetention } from './history-pruner.ts';
import type { RequestRateSettings } from './http/index.ts';
import type { SnapshotExportSettings } from './snapshot-export/index.ts';

/** Where gateways find a control plane. */
export interface ControlPlaneAddress {
  readonly host: string;
  readonly port: number;
}

/** What a control-plane process is started with. */
export interface ControlPlaneOptions {
  /** Folder of certificates and, unless told otherwise, of store and keyring; exists already, mode 0700. */
  readonly dataFolder: string;
  readonly keyringFile: string;
  /** Undefined: the store is a file in the data folder. */
  readonly database?: PostgresStoreOptions | undefined;
  readonly adminListeners: readonly Listener[];
  readonly syncListeners: readonly Listener[];
  /** Where metrics are to be had; empty for nowhere. */
  readonly metricsListeners: readonly Listener[];
  /** Where gateways reach control planes: in the commands for new ones, and their hosts in this one's certificate. Empty: what can be guessed. */
  readonly gatewayUrls: readonly ControlPlaneAddress[];
  readonly retention: HistoryRetention;
  /** PEM files that replace the self-signed certificate of the Admin API. */
  readonly adminTls: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** Act once per store; afterwards they are ignored. */
  readonly bootstrapToken: string | undefined;
  readonly adminPassword: string | undefined;
  /** Addresses and networks from which the Admin API may be used; empty for all. */
  readonly adminAllow: readonly string[];
  /** Proxies in front of the Admin API whose `X-Forwarded-For` is believed; empty for none. */
  readonly adminTrustedAddresses: readonly string[];
  readonly requestRates: RequestRateSettings;
  /** What else the control plane itself may connect to, or may not: identity providers. */
  readonly dial: DialSettings;
  /** Where snapshots of all groups are exported to on a schedule; absent: nowhere. */
  readonly snapshotExport?: SnapshotExportSettings | undefined;
  /** How often gateways compare what they hold with what the store holds; 0 for never. */
  readonly compareIntervalMs: number;
  /** Things expire by the machine's clock again, although the store knows of a later time. */
  readonly believeClock?: boolean | undefined;
  /** Another store, or history, was put in place of the one that was opened, as by a restore: the process must end and start anew. Absent: it is not looked after. */
  readonly onStoreReplaced?: ((error: Error) => void) | undefined;
  readonly softwareVersion: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What the first start of a store made, shown once and kept nowhere in clear. Absent fields were given by the operator. */
export interface FirstStart {
  readonly username: string;
  readonly password: string | undefined;
  readonly token: string | undefined;
  /** Unix seconds; 0: never, as for a token that the operator gave. */
  readonly tokenExpiresAt: number;
}

/** A running control plane. */
export interface RunningControlPlane {
  /** The PostgreSQL database that is the store, in words without a secret; undefined for a file in the data folder. */
  readonly database: string | undefined;
  readonly firstStart: FirstStart | undefined;
  /** Where the Admin API listens, one entry a listener. */
  readonly adminAddresses: readonly { readonly host: string; readonly port: number }[];
  /** Where gateways connect, one entry a listener. */
  readonly syncPorts: readonly number[];
  /** Where metrics are to be had, one entry a listener. */
  readonly metricsPorts: readonly number[];
  /** Certificates (PEM) of the authorities that instances and this control plane know each other by, the one that issues first. */
  readonly authority: string;
  /** The newest revision of a group. */
  groupRevision(groupId: string): Promise<number>;
  /** Certifies an instance's public key (SPKI, PEM) for one group. Everything comes back as PEM. */
  issueInstanceCertificate(request: {
    readonly groupId: string;
    readonly instanceId: string;
    readonly publicKey: string;
  }): Promise<{ readonly certificate: string; readonly authority: string; readonly expiresAtMs: number }>;
  /** Accepts nothing new, lets running requests end for at most `timeoutMs`, closes the store. */
  drain(timeoutMs: number): Promise<void>;
}
