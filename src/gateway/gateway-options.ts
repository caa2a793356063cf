import type { FormerProcesses, SnapshotPlace } from '../distribution/gateway-side.ts';
import type { EngineSettings } from '../engine/index.ts';
import type { Clock } from '../lib/clock.ts';
import type { Listener } from '../lib/listener.ts';
import type { Random } from '../lib/random.ts';
import type { Logger } from '../observability/logger.ts';
import type { AnyPlugin } from '../plugin-kit/index.ts';
import type { SnapshotDelta } from '../schema/index.ts';
import type { PreparedThreads } from './agent/prepared-threads.ts';
import type { AgeLimit } from './freshness/index.ts';
import type { LimitSettings } from './limits/index.ts';
import type { DialSettings } from './names/index.ts';

/** The certificate by which this instance is known to control planes. All PEM. */
export interface InstanceIdentity {
  readonly instanceId: string;
  readonly groupId: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly authority: string;
}

/** How one worker listens. */
export interface WorkerListeners {
  /**
   * One entry for each address to listen on; in it one for each generation of the worker, with copies of one bound socket that
   * nobody else uses. Empty: the worker binds `httpAddresses` and `httpsAddresses` itself.
   */
  readonly httpDescriptors: readonly (readonly (readonly number[])[])[];
  readonly httpsDescriptors: readonly (readonly (readonly number[])[])[];
  /** The same for each of `streamAddresses`, in their order; of UDP sockets one copy a generation. */
  readonly streamDescriptors?: readonly (readonly (readonly number[])[])[];
}

/** Where a gateway listens for streams. */
export interface StreamAddress {
  readonly protocol: 'tcp' | 'tls' | 'udp';
  readonly host: string;
  readonly port: number;
}

/** How the process that ran before this one ended, as its supervisor saw it. */
export type PreviousExit =
  | { readonly kind: 'none' }
  | { readonly kind: 'clean' }
  /** It has not ended: it serves, and tells the status, until this one does. */
  | { readonly kind: 'replaced' }
  /** `killed`: by SIGKILL, the first time in a row, which says nothing about the configuration. */
  | { readonly kind: 'killed' }
  | { readonly kind: 'crashed' };

/** An exported snapshot that the gateway starts from. */
export interface SnapshotOptions {
  readonly place: SnapshotPlace;
  /** As `portcullis snapshot key` shows it. Secret. */
  readonly key: string;
  /** How often it is looked at where there is no control plane. */
  readonly intervalMs: number;
  /** A larger one at a URL is not fetched. */
  readonly maxBytes: number;
}

/** What a gateway process is started with. */
export interface GatewayOptions {
  /** Folder of the journal; exists already, mode 0700. */
  readonly dataFolder: string;
  /** Absolute paths of files and folders of the instance into which no plugin may write. */
  readonly closedFolders: readonly string[];
  readonly identity: InstanceIdentity;
  /** Called once with what takes a renewed certificate of the same instance, for connections from then on. */
  readonly onIdentityUser?: (use: (identity: InstanceIdentity) => void) => void;
  /** The control plane names the authorities that are to be trusted (PEM, the one that issues first). */
  readonly onAuthorities?: (authority: string) => void;
  /** In the order in which they are tried; at least one. */
  readonly controlPlanes: readonly { readonly host: string; readonly port: number }[];
  /** One entry a worker. */
  readonly workers: readonly WorkerListeners[];
  readonly httpAddresses: readonly { readonly host: string; readonly port: number }[];
  readonly httpsAddresses: readonly { readonly host: string; readonly port: number }[];
  readonly httpsPort: number;
  /** Listeners on which connections from `trustedAddresses` begin with a PROXY header; none when absent. */
  readonly proxyProtocol?: readonly ('http' | 'https' | 'stream')[];
  /** None when absent. */
  readonly streamAddresses?: readonly StreamAddress[];
  /** The host that clients get that name none in their TLS handshake, or an unknown one; without it they are refused. */
  readonly fallbackSni?: string | undefined;
  readonly statusListeners: readonly Listener[];
  readonly metricsListeners: readonly Listener[];
  /** Sockets of the product itself that no upstream may point to. */
  readonly protectedPorts: readonly number[];
  /** Addresses and networks that are opened beyond, and closed within, what may be connected to by default. Closing wins. */
  readonly dial: DialSettings;
  /** File that gets one JSON line a request; undefined writes none. */
  readonly accessLogFile: string | undefined;
  /** Addresses and networks of proxies in front whose X-Forwarded headers are believed. */
  readonly trustedAddresses: readonly string[];
  /** A plugin that has not decided after this time has failed. */
  readonly pluginDeadlineMs: number;
  /** Upstreams of `https` that say nothing about it must show a certificate that is believed; absent: they need not. */
  readonly verifyUpstreams?: boolean;
  /** Every answer of an upstream tells its status, not only those with a 5xx; absent: those alone. */
  readonly showUpstreamStatus?: boolean;
  /** Exchanges under way go on when their credential is revoked or expires. */
  readonly keepRevokedExchanges?: boolean;
  /** Limits and time-outs of requests that differ from the engine's own. */
  readonly engine: EngineSettings;
  /** What the instance takes on at once; what is absent follows from the descriptors this process may open. */
  readonly limits: LimitSettings;
  /** The variables that `$env://` references are resolved with; none when absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Variables that references may name although they are withheld from them: those of the product, its databases, Node.js and AWS. */
  readonly envReferences?: readonly string[];
  readonly previousExit: PreviousExit;
  /** Absent: no other process of this instance serves. */
  readonly former?: FormerProcesses | undefined;
  /** What workers count of who uses what is told to the control plane at most once in this time; absent: 10 s. */
  readonly usageIntervalMs?: number;
  /** How old the configuration may become; absent: as old as it likes. */
  readonly ageLimit?: AgeLimit;
  /** Absent: disk copy and control planes alone. */
  readonly snapshot?: SnapshotOptions | undefined;
  /** Take a configuration older than the newest this machine has seen. */
  readonly allowOlder: boolean;
  /** Obeys failure hooks over the worker channel (`POST /test/…` on the status listener). Tests only. */
  readonly testHooks: boolean;
  /** Plugins beside the product's, and the module that gives the same to each worker as `PLUGINS`. Tests only. */
  readonly testPlugins?: { readonly plugins: readonly AnyPlugin[]; readonly module: string };
  /** Those that this process has ready; workers beyond them, and all when absent, load first. */
  readonly threads?: PreparedThreads | undefined;
  readonly softwareVersion: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** A worker has at most one fresh descriptor left: the process wants to be replaced by a new one. Called once. */
  readonly onDescriptorsUsedUp: () => void;
}

/** A running gateway instance. */
export interface RunningGateway {
  /** Ports in the order of the addresses or listeners they were asked for; of `http` and `https` none before a worker listens. */
  readonly ports: {
    readonly http: readonly number[];
    readonly https: readonly number[];
    /** In the order of `streamAddresses`. */
    readonly streams: readonly number[];
    readonly status: readonly number[];
    readonly metrics: readonly number[];
  };
  /** Resolves when all workers listen and the configuration in force is the newest that the control plane has named. */
  whenCurrent(): Promise<{ readonly revision: number }>;
  /** Resolves when all workers listen with a configuration in force, be it from disk. */
  whenReady(): Promise<void>;
  /** Another process is about to take this one's place: lets go of the journal and of the control plane, and serves on until it is drained. */
  handOver(): Promise<void>;
  /** After `handOver`: puts in force what that process has put in force, in the order of calls. Rejects when that is not possible. */
  follow(delta: SnapshotDelta): Promise<void>;
  /** After `handOver`: that process is connected to a control plane. */
  leaveControlPlane(): Promise<void>;
  /** `/status/ready` turns 503 and answers carry `Connection: close`; after `delayMs` nothing new is accepted and kept-alive connections end; after `timeoutMs` more the rest is cut. */
  drain(options: { readonly delayMs: number; readonly timeoutMs: number }): Promise<void>;
}
