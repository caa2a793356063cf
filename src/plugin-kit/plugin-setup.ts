import type { Clock } from '../lib/clock.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Random } from '../lib/random.ts';
import type { CounterServer, Counters, SharedRecords } from './counters.ts';
import type { PluginInstance } from './instantiate-plugin.ts';
import type { Metrics } from './metrics.ts';
import type { LineFiles, OutgoingCalls } from './outgoing-calls.ts';
import type { UpstreamHandle } from './upstream-handle.ts';

/** The object whose `plugins` a configuration stands in. */
export interface PluginOwner {
  readonly kind: 'route' | 'service' | 'consumer' | 'global_rule' | 'stream_route';
  readonly id: string;
}

/** Fields of a line: no secrets, and nothing that a client sent. */
export type PluginLogFields = Readonly<Record<string, string | number | boolean | null>>;

/** Where a plugin writes what people must know. Fields hold no secrets. The same line comes at most once a second. */
export interface PluginLog {
  info(message: string, fields?: PluginLogFields): void;
  warn(message: string, fields?: PluginLogFields): void;
  error(message: string, fields?: PluginLogFields, error?: unknown): void;
}

/** What a plugin's `create` gets beside its configuration: everything shared that it may use. */
export interface PluginSetup {
  readonly owner: PluginOwner;
  /** Names the configuration: the same for the same one of a plugin, another after any change (hexadecimal). */
  readonly configurationHash: string;
  /** The plugin's metadata in the group, with defaults; undefined where there is none. A change of it creates the plugin anew. */
  readonly metadata: JsonObject | undefined;
  readonly clock: Clock;
  /**
   * Wall-clock time by which tokens and signatures expire: the latest that this instance and its control planes have seen, kept over restarts, so that
   * setting a clock back revives none.
   */
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  readonly log: PluginLog;
  /** Counters of this instance. */
  readonly counters: Counters;
  /**
   * Counters that several instances share; connected on first use, given back by `dispose` of the gateway. With `syncIntervalMs` windows are
   * counted here and told to the server so often, so that more can pass than the limit says until the others know.
   */
  counterServer(server: CounterServer, syncIntervalMs?: number): Counters;
  readonly records: SharedRecords;
  readonly metrics: Metrics;
  readonly calls: OutgoingCalls;
  readonly files: LineFiles;
  /** The upstreams that the plugin's `upstreams` named, in that order. */
  readonly upstreams: readonly UpstreamHandle[];
  /** The plugins that the plugin's `nestedPlugins` named, created, in that order. Disposed of by the gateway. */
  readonly nested: readonly PluginInstance[];
  readonly hostName: string;
  /** Where this instance takes HTTPS from clients; 0 where it does not. */
  readonly httpsPort: number;
  readonly version: string;
}
