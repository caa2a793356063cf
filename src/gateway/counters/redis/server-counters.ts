import type { Clock } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { CounterServer, Counters } from '../../../plugin-kit/index.ts';
import type { DialPolicy } from '../../names/index.ts';
import { ClusterServer } from './cluster-server.ts';
import { DelayedCounters } from './delayed-counters.ts';
import { findBySentinel } from './find-by-sentinel.ts';
import { PendingLeaves } from './pending-leaves.ts';
import { RedisCounters } from './redis-counters.ts';
import type { RedisFailure } from './redis-failure.ts';
import { openRedisLink, type RedisDialer } from './redis-link.ts';
import type { ScriptServer } from './script-server.ts';
import { SingleServer } from './single-server.ts';

export interface ServerCountersOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Workers of the instance. */
  readonly workers: number;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  /** Asked with each resolved address before it is connected to. */
  readonly mayDial: DialPolicy;
  /** The addresses of a name; none, or a rejection, where there are none. */
  readonly resolve: (name: string) => Promise<readonly string[]>;
}

/** Counters on a server, for as long as they are needed. */
export interface CounterLease {
  readonly counters: Counters;
  /** Called once. What is left to tell is told to the server; a client that nobody else uses is closed then. */
  release(): Promise<void>;
}

interface OpenServer {
  readonly server: ScriptServer;
  readonly leaves: PendingLeaves;
  readonly counters: RedisCounters;
  users: number;
}

const ENTRY_PREFIX_BYTES = 12;

/**
 * The counter servers that this worker asks. All who name the same settings share one client, which has one connection to each node;
 * nothing is connected to before the first request, and what nobody uses any more is closed.
 */
export class ServerCounters {
  readonly #options: ServerCountersOptions;
  readonly #dialer: RedisDialer;
  readonly #open = new Map<string, OpenServer>();
  readonly #delayed = new Set<DelayedCounters>();
  readonly #entryPrefix: string;
  #entries = 0;

  constructor(options: ServerCountersOptions) {
    this.#options = options;
    this.#dialer = { mayDial: options.mayDial, resolve: options.resolve, clock: options.clock };
    this.#entryPrefix = options.random.bytes(ENTRY_PREFIX_BYTES).toString('hex');
  }

  /** With `syncIntervalMs`, windows are counted here and told to the server so often. */
  lease(settings: CounterServer, syncIntervalMs?: number): CounterLease {
    const key = JSON.stringify(settings);
    const shared = this.#open.get(key) ?? this.#create(settings);
    this.#open.set(key, shared);
    shared.users++;
    const { clock, workers } = this.#options;
    const { server, counters } = shared;
    const delayed =
      syncIntervalMs === undefined ? undefined : new DelayedCounters({ server, direct: counters, syncIntervalMs, workers, clock });
    if (delayed !== undefined) this.#delayed.add(delayed);
    return {
      counters: delayed ?? counters,
      release: async () => {
        if (delayed !== undefined) this.#delayed.delete(delayed);
        await delayed?.close();
        shared.users--;
        if (shared.users > 0) return;
        if (this.#open.get(key) === shared) this.#open.delete(key);
        await closeServer(shared);
      },
    };
  }

  /** Servers with a client at present. */
  get size(): number {
    return this.#open.size;
  }

  /** Tells the servers what is left to tell, within their time-outs, and closes all, whoever uses them still. */
  async close(): Promise<void> {
    await Promise.all([...this.#delayed].map((delayed) => delayed.close()));
    this.#delayed.clear();
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map(closeServer));
  }

  #create(settings: CounterServer): OpenServer {
    const server = this.#connect(settings);
    const leaves = new PendingLeaves(server, this.#options.clock);
    const nameEntry = (): string => `${this.#entryPrefix}:${++this.#entries}`;
    return { server, leaves, counters: new RedisCounters({ server, leaves, nameEntry }), users: 0 };
  }

  #connect(settings: CounterServer): ScriptServer {
    const { clock } = this.#options;
    const onHealthChanged = (failure: RedisFailure | undefined): void => this.#tellHealth(settings, failure);
    switch (settings.kind) {
      case 'redis': {
        const { timeoutMs, idleTimeoutMs } = settings;
        const open = () => openRedisLink(settings, this.#dialer, timeoutMs);
        return new SingleServer({ open, timeoutMs, idleTimeoutMs, clock, onHealthChanged });
      }
      case 'redis-cluster':
        return new ClusterServer({ server: settings, dialer: this.#dialer, onHealthChanged });
      case 'redis-sentinel': {
        const { connectTimeoutMs, readTimeoutMs, idleTimeoutMs, username, password, database } = settings;
        const open = async () => {
          const address = await findBySentinel(settings, this.#dialer);
          const endpoint = { ...address, username, password, database, tls: false, tlsVerify: false };
          return openRedisLink(endpoint, this.#dialer, connectTimeoutMs);
        };
        return new SingleServer({
          open,
          timeoutMs: readTimeoutMs,
          openingTimeoutMs: connectTimeoutMs,
          idleTimeoutMs,
          clock,
          onHealthChanged,
        });
      }
    }
  }

  #tellHealth(settings: CounterServer, failure: RedisFailure | undefined): void {
    const { log } = this.#options;
    const fields = { policy: settings.kind, server: nameOf(settings) };
    if (failure === undefined) log.info('a counter server answers again', fields);
    else log.warn('a counter server does not answer', { ...fields, failure: failure.message });
  }
}

async function closeServer({ server, leaves }: OpenServer): Promise<void> {
  await leaves.close();
  server.close();
}

function nameOf(settings: CounterServer): string {
  switch (settings.kind) {
    case 'redis':
      return `${settings.host}:${settings.port}`;
    case 'redis-cluster':
      return settings.name;
    case 'redis-sentinel':
      return settings.masterName;
  }
}
