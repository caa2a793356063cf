import { hostname } from 'node:os';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Logger } from '../../observability/logger.ts';
import type { CounterServer, Counters, LineFiles, Metrics, OutgoingCalls, PluginLog, SharedRecords } from '../../plugin-kit/index.ts';
import { CallClient, CallNames } from '../calls/index.ts';
import { type CounterHandles, type CounterLease, LocalCounters, machineTime, ServerCounters } from '../counters/index.ts';
import { SharedLineFiles } from '../line-files/index.ts';
import { type DialPolicy, NameResolver } from '../names/index.ts';
import type { PluginServices } from '../runtime/index.ts';
import { NamedPluginLog } from './plugin-log.ts';

/** What the services of one worker are made from. */
export interface WorkerPluginServicesOptions {
  readonly clock: Clock;
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: CounterHandles;
  /** Workers of the instance. */
  readonly workers: number;
  /** The worker's own row in shared memory. */
  readonly row: number;
  readonly metrics: Metrics;
  readonly mayDial: DialPolicy;
  /** Folders that no plugin may write into. */
  readonly forbiddenFolders: readonly string[];
  readonly httpsPort: number;
  readonly version: string;
}

/** How long calls that plugins still make when the worker stops may take. */
const LAST_CALLS_MS = 5000;

/** Everything that the plugins of one worker share. */
export class WorkerPluginServices implements PluginServices {
  readonly clock: Clock;
  readonly expiryClock: Pick<Clock, 'nowMs'>;
  readonly random: Random;
  readonly counters: Counters;
  readonly records: SharedRecords;
  readonly metrics: Metrics;
  readonly calls: OutgoingCalls;
  readonly files: LineFiles;
  readonly hostName = hostname();
  readonly httpsPort: number;
  readonly version: string;
  readonly #log: Logger;
  readonly #logs = new Map<string, PluginLog>();
  readonly #calls: CallClient;
  readonly #callNames: CallNames;
  readonly #files: SharedLineFiles;
  readonly #servers: ServerCounters;

  constructor(options: WorkerPluginServicesOptions) {
    const { clock, random, log, mayDial, forbiddenFolders } = options;
    this.clock = clock;
    this.expiryClock = options.expiryClock;
    this.random = random;
    this.metrics = options.metrics;
    this.httpsPort = options.httpsPort;
    this.version = options.version;
    this.#log = log;
    const local = new LocalCounters({ handles: options.counters, row: options.row, now: machineTime(clock) });
    this.counters = local;
    this.records = local;
    this.#callNames = new CallNames({ resolver: new NameResolver({ clock, random, log }), clock });
    this.#calls = new CallClient({ clock, mayDial, addressesOf: (host) => this.#callNames.addressesOf(host) });
    this.calls = this.#calls;
    this.#files = new SharedLineFiles({ clock, log, forbiddenFolders });
    this.files = this.#files;
    this.#servers = new ServerCounters({
      clock,
      random,
      log,
      mayDial,
      workers: options.workers,
      resolve: (host) => this.#callNames.addressesOf(host),
    });
  }

  logOf(plugin: string): PluginLog {
    let log = this.#logs.get(plugin);
    if (log === undefined) {
      log = new NamedPluginLog(plugin, this.#log, this.clock);
      this.#logs.set(plugin, log);
    }
    return log;
  }

  leaseCounterServer(server: CounterServer, syncIntervalMs?: number): CounterLease {
    return this.#servers.lease(server, syncIntervalMs);
  }

  /** Logs were put aside: go on in new files. */
  reopenFiles(): void {
    this.#files.reopen();
  }

  /** Ends calls and connections, after a moment for those under way; what files still have to write is written. */
  async close(): Promise<void> {
    await this.#calls.whenIdle(LAST_CALLS_MS);
    this.#calls.close();
    await this.#files.close();
    // What is left to tell a server may need a connection, and its name.
    await this.#servers.close();
    this.#callNames.close();
  }
}
