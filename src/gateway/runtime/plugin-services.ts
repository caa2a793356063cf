import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Random } from '../../lib/random.ts';
import type { CounterServer, Counters, LineFiles, Metrics, OutgoingCalls, PluginLog, SharedRecords } from '../../plugin-kit/index.ts';

/** Counters of a server for as long as one configuration needs them. */
export interface CounterLease {
  readonly counters: Counters;
  release(): Promise<void>;
}

/** What all plugins of a worker share, beside what concerns one configuration alone. */
export interface PluginServices {
  readonly clock: Clock;
  /** By which tokens and signatures expire. */
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  /** A log whose lines name the plugin. */
  logOf(plugin: string): PluginLog;
  readonly counters: Counters;
  /** Counters of a server, given back by one `release`. */
  leaseCounterServer(server: CounterServer, syncIntervalMs?: number): CounterLease;
  readonly records: SharedRecords;
  readonly metrics: Metrics;
  readonly calls: OutgoingCalls;
  readonly files: LineFiles;
  readonly hostName: string;
  readonly httpsPort: number;
  readonly version: string;
}

/** The metadata of a plugin in the group, with defaults; undefined where there is none. */
export type MetadataOf = (plugin: string) => JsonObject | undefined;
