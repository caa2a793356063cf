import type { CounterServer } from '../../../plugin-kit/index.ts';
import { ClusterMap, clusterSlotOf, readSlotRanges, type SlotRange } from './cluster-map.ts';
import type { CounterScript } from './counter-scripts.ts';
import { RedisConnection } from './redis-connection.ts';
import { RedisFailure } from './redis-failure.ts';
import { openRedisLink, type RedisDialer } from './redis-link.ts';
import { runScript, type ScriptServer } from './script-server.ts';
import { withinTime } from './within-time.ts';

type ClusterSettings = Extract<CounterServer, { kind: 'redis-cluster' }>;

/** What a cluster needs besides its settings. */
export interface ClusterServerOptions {
  readonly server: ClusterSettings;
  readonly dialer: RedisDialer;
  readonly onHealthChanged: (failure: RedisFailure | undefined) => void;
}

/** A slot that moves is found after one redirection; more of them mean that the cluster does not know itself. */
const MAX_REDIRECTIONS = 5;
/** The map is not asked for more often, whatever happens. */
const REFRESH_INTERVAL_MS = 1000;

/**
 * A cluster: each key is asked for at the node that has its slot. Nodes have connections of their own, so that one that is down takes
 * only its own keys along, until the cluster has given them to another.
 */
export class ClusterServer implements ScriptServer {
  readonly #options: ClusterServerOptions;
  readonly #map = new ClusterMap();
  readonly #connections = new Map<string, RedisConnection>();
  #refreshedMs = Number.NEGATIVE_INFINITY;
  #refresh: Promise<void> | undefined;
  #isKnown = false;
  #isClosed = false;

  constructor(options: ClusterServerOptions) {
    this.#options = options;
  }

  async run(script: CounterScript, key: string, args: readonly string[]): Promise<readonly number[]> {
    const { server, dialer } = this.#options;
    return withinTime(dialer.clock, server.timeoutMs, this.#run(script, key, args));
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.close();
  }

  async #run(script: CounterScript, key: string, args: readonly string[]): Promise<readonly number[]> {
    if (!this.#isKnown) await this.#learn();
    return runScript((command) => this.#send(clusterSlotOf(key), command), script, key, args);
  }

  async #send(slot: number, command: readonly string[]): Promise<unknown> {
    const node = this.#map.nodeOf(slot);
    if (node === undefined) {
      this.#learnAgain();
      throw new RedisFailure('no node of the cluster has the key');
    }
    return this.#sendTo(node, slot, command, false, MAX_REDIRECTIONS);
  }

  async #sendTo(node: string, slot: number, command: readonly string[], asking: boolean, redirections: number): Promise<unknown> {
    const connection = this.#connectionTo(node);
    try {
      return await (asking ? connection.run(['ASKING'], command) : connection.run(command));
    } catch (error) {
      const failure = RedisFailure.of(error, `${node} did not answer`);
      const target = redirectionOf(failure, node);
      if (target === undefined || redirections === 0) {
        if (failure.refusal === undefined || failure.refusal === 'CLUSTERDOWN' || failure.refusal === 'READONLY') this.#learnAgain();
        throw failure;
      }
      if (failure.refusal === 'MOVED') {
        this.#map.move(slot, target);
        this.#learnAgain();
      }
      return this.#sendTo(target, slot, command, failure.refusal === 'ASK', redirections - 1);
    }
  }

  /** In the background, and not too often. */
  #learnAgain(): void {
    this.#learn().catch(() => {});
  }

  #learn(): Promise<void> {
    const nowMs = this.#options.dialer.clock.monotonicMs();
    if (this.#refresh === undefined && (!this.#isKnown || nowMs - this.#refreshedMs >= REFRESH_INTERVAL_MS)) {
      this.#refreshedMs = nowMs;
      this.#refresh = this.#readMap().finally(() => {
        this.#refresh = undefined;
      });
    }
    return this.#refresh ?? Promise.resolve();
  }

  /** Asks the nodes of the settings and those found since; the first that knows something is believed. */
  async #readMap(): Promise<void> {
    const nodes = new Set([...this.#options.server.nodes, ...this.#connections.keys()]);
    try {
      this.#map.replace(await Promise.any([...nodes].map((node) => this.#askForMap(node))));
    } catch (error) {
      const [first]: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
      throw RedisFailure.of(first, 'the cluster has no nodes');
    }
    this.#isKnown = true;
    for (const [node, connection] of this.#connections) {
      if (this.#map.has(node) || this.#options.server.nodes.includes(node)) continue;
      connection.close();
      this.#connections.delete(node);
    }
  }

  async #askForMap(node: string): Promise<readonly SlotRange[]> {
    const ranges = readSlotRanges(await this.#connectionTo(node).run(['CLUSTER', 'SLOTS']), hostAndPortOf(node).host);
    if (ranges.length === 0) throw new RedisFailure(`${node} knows no slots`);
    return ranges;
  }

  #connectionTo(node: string): RedisConnection {
    let connection = this.#connections.get(node);
    if (connection !== undefined) return connection;
    const { server, dialer, onHealthChanged } = this.#options;
    const { username, password, tls, tlsVerify, timeoutMs, idleTimeoutMs } = server;
    const endpoint = { ...hostAndPortOf(node), username, password, tls, tlsVerify, database: 0 };
    connection = new RedisConnection({
      open: () => openRedisLink(endpoint, dialer, timeoutMs),
      timeoutMs,
      idleTimeoutMs,
      clock: dialer.clock,
      onHealthChanged,
    });
    this.#connections.set(node, connection);
    if (this.#isClosed) connection.close();
    return connection;
  }
}

/** Where `MOVED` and `ASK` point to: `<slot> <host>:<port>`, the host left out where it is the same. */
function redirectionOf({ refusal, rest }: RedisFailure, from: string): string | undefined {
  if (refusal !== 'MOVED' && refusal !== 'ASK') return undefined;
  const target = rest.trim().split(' ')[1];
  if (target === undefined) return undefined;
  return target.startsWith(':') ? `${hostAndPortOf(from).host}${target}` : target;
}

function hostAndPortOf(node: string): { readonly host: string; readonly port: number } {
  const colon = node.lastIndexOf(':');
  const host = node.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(node.slice(colon + 1)) };
}
