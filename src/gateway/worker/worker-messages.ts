import type { EngineSettings } from '../../engine/index.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { LogFields, LogLevel } from '../../observability/index.ts';
import type { EffectiveUpstream, TlsItem, TlsItemKind } from '../../schema/index.ts';
import type { CounterHandles } from '../counters/index.ts';
import type { DiscoveredNode } from '../discovery/index.ts';
import type { HealthEntry } from '../health/index.ts';
import type { LoadHandles } from '../limits/index.ts';
import type { MetricsHandles } from '../metrics/index.ts';
import type { DialSettings } from '../names/index.ts';
import type { ConsumerNeeds, PluginSettings, RouteSettings, ServiceSettings, StreamRouteSettings } from '../runtime/settings.ts';
import type { CredentialTableHandles } from '../tables/index.ts';
import type { UsageHandles } from '../usage/index.ts';

/** One step of a change to what workers compile. Consumers and credentials themselves never pass here: they lie in shared memory. */
export type RuntimeChange =
  | { readonly op: 'put-service'; readonly id: string; readonly settings: ServiceSettings }
  | { readonly op: 'delete-service'; readonly id: string }
  /** An upstream of a service beside the one inside it; the service may not be there yet. */
  | { readonly op: 'put-upstream'; readonly id: string; readonly serviceId: string; readonly settings: EffectiveUpstream }
  | { readonly op: 'delete-upstream'; readonly id: string; readonly serviceId: string }
  /** `number` names the route on the worker board. */
  | { readonly op: 'put-route'; readonly id: string; readonly number: number; readonly settings: RouteSettings }
  | { readonly op: 'delete-route'; readonly id: string }
  | { readonly op: 'put-stream-route'; readonly id: string; readonly number: number; readonly settings: StreamRouteSettings }
  | { readonly op: 'delete-stream-route'; readonly id: string }
  | { readonly op: 'put-global-rule'; readonly id: string; readonly settings: PluginSettings }
  | { readonly op: 'delete-global-rule'; readonly id: string }
  /** `value` has the schema's defaults. */
  | { readonly op: 'put-plugin-metadata'; readonly plugin: string; readonly value: JsonObject }
  | { readonly op: 'delete-plugin-metadata'; readonly plugin: string }
  /** Together with its kind the id is unique. */
  | { readonly op: 'put-tls-item'; readonly kind: TlsItemKind; readonly id: string; readonly settings: TlsItem }
  | { readonly op: 'delete-tls-item'; readonly kind: TlsItemKind; readonly id: string }
  /** For the few consumers that need anything. */
  | { readonly op: 'put-consumer-needs'; readonly id: string; readonly needs: ConsumerNeeds }
  | { readonly op: 'delete-consumer-needs'; readonly id: string };

/** Addresses of one node name, an empty list when it never resolved; or nodes of one service that is discovered (`discoveryKey`). */
export interface NameAddresses {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly nodes?: readonly DiscoveredNode[];
}

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly row: number;
  /** Workers of the instance. */
  readonly workers: number;
  readonly board: SharedArrayBuffer;
  readonly tables: CredentialTableHandles;
  readonly protectedPorts: readonly number[];
  readonly dial: DialSettings;
  readonly accessLogFile: string | undefined;
  readonly trustedAddresses: readonly string[];
  readonly proxyProtocol: readonly ('http' | 'https' | 'stream')[];
  readonly pluginDeadlineMs: number;
  readonly httpsPort: number;
  /** Whom clients get that name no host in their TLS handshake, or an unknown one. */
  readonly fallbackSni: string | undefined;
  /** Whether upstreams that say nothing about it must show a certificate that is believed. */
  readonly verifyUpstreams: boolean;
  readonly showUpstreamStatus: boolean;
  readonly keepRevokedExchanges: boolean;
  readonly engine: EngineSettings;
  readonly load: LoadHandles;
  readonly health: SharedArrayBuffer;
  readonly metrics: MetricsHandles;
  readonly counters: CounterHandles;
  readonly usage: UsageHandles;
  /** Files and folders that no plugin may write into. */
  readonly forbiddenFolders: readonly string[];
  readonly softwareVersion: string;
  readonly testHooks: boolean;
  /** URL of a module whose `PLUGINS` stand beside the product's. */
  readonly testPluginModule: string | undefined;
}

/** How a worker dies on request, in tests. */
export type TestFailure = 'throw' | 'exhaust-heap' | 'block' | 'exit';

/** Where one worker listens: on copies of one socket that nobody used before, or on an address. */
export interface WorkerSocket {
  /** Each accepts one connection a turn of the loop; empty for an address. */
  readonly fds: readonly number[];
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
  /** Clients speak TLS there; it is opened with the first certificate. */
  readonly encrypted: boolean;
}

/** Where one worker listens for streams: on a copy of a socket that nobody used before, or on an address. */
export interface WorkerStreamSocket {
  readonly protocol: 'tcp' | 'tls' | 'udp';
  readonly fds: readonly number[];
  readonly host: string;
  readonly port: number;
  readonly reusePort: boolean;
}

/** From the agent to a worker. Messages are handled in the order they were sent. */
export type AgentMessage =
  /** What the thread is to be. Comes first, and once. */
  | { readonly kind: 'start'; readonly start: WorkerStart }
  /** The salt of key digests. Comes before the first change. */
  | { readonly kind: 'salt'; readonly keySalt: Uint8Array }
  | { readonly kind: 'addresses'; readonly entries: readonly NameAddresses[] }
  /** What session tickets are sealed with, 32 bytes each; those sealed with `previous` are still opened. */
  | { readonly kind: 'ticket-keys'; readonly current: Uint8Array; readonly previous: Uint8Array | undefined }
  /** Nodes that are looked after from now on, and those that are no longer. Comes before what uses them. */
  | { readonly kind: 'health'; readonly put: readonly HealthEntry[]; readonly removed: readonly string[] }
  /** A part of change `change`; several parts may come before `prepare`. */
  | { readonly kind: 'changes'; readonly change: number; readonly changes: readonly RuntimeChange[] }
  /** Compile change `change` aside; answered by `prepared`. */
  | { readonly kind: 'prepare'; readonly change: number }
  /** Swap the prepared change in; answered by `committed`. */
  | { readonly kind: 'commit'; readonly change: number }
  | { readonly kind: 'abandon'; readonly change: number }
  /** Answered by `listening`. */
  | { readonly kind: 'listen'; readonly sockets: readonly WorkerSocket[]; readonly streams: readonly WorkerStreamSocket[] }
  /** The access log was put aside: go on in a new file. */
  | { readonly kind: 'reopen-logs' }
  /** The gateway stops soon: accept as before, but let every answer end its connection. */
  | { readonly kind: 'announce-drain' }
  /** Accept nothing more, let what runs end for at most `timeoutMs`, then cut it; answered by `drained`. */
  | { readonly kind: 'drain'; readonly timeoutMs: number }
  | { readonly kind: 'fail'; readonly failure: TestFailure };

/** From a worker to the agent. */
export type WorkerMessage =
  | { readonly kind: 'prepared'; readonly change: number; readonly failure: string | undefined }
  | { readonly kind: 'committed'; readonly change: number }
  | { readonly kind: 'listening'; readonly ports: readonly number[]; readonly streamPorts: readonly number[] }
  /** It listens where clients speak TLS, too. */
  | { readonly kind: 'listening-encrypted'; readonly ports: readonly number[] }
  | { readonly kind: 'listen-failed'; readonly code: string; readonly message: string }
  /** It has closed its listeners because descriptors are short. */
  | { readonly kind: 'paused' }
  /** It could listen again, on a fresh copy of each descriptor. */
  | { readonly kind: 'may-resume' }
  /** There is something in its ring on the health board, which was empty. */
  | { readonly kind: 'health-reported' }
  | { readonly kind: 'drained' }
  | {
      readonly kind: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: LogFields;
      readonly error: Error | undefined;
    };
