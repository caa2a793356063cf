import { isIP } from 'node:net';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import type { UpstreamTarget } from '../exchange.ts';
import { PooledTarget } from './pooled-target.ts';
import { UpstreamConnection, type UpstreamOwner } from './upstream-connection.ts';

const READ_BUFFER_BYTES = 64 * 1024;
const SWEEP_MS = 1000;
/** How long before the upstream's own idle time-out a connection is given up. */
const SAFETY_MS = 1000;

export interface UpstreamPoolOptions {
  readonly clock: Clock;
  /** Most idle connections of one target; the longest idle goes first. */
  readonly idleLimit?: number;
  /** Longest time a connection is kept idle; an upstream that announces less in `Keep-Alive` shortens it. */
  readonly idleTimeoutMs?: number;
  /** A connection is closed after this many requests. */
  readonly requestsPerConnection?: number;
}

/**
 * The connections to all upstreams of one worker, kept alive between requests. One request is in flight on a connection.
 *
 * Addresses are IP literals: names are resolved before, never on the request path.
 */
export class UpstreamPool {
  readonly #clock: Clock;
  readonly #idleLimit: number;
  readonly #idleTimeoutMs: number;
  readonly #requestsPerConnection: number;
  readonly #targets = new Map<string, PooledTarget>();
  readonly #open = new Set<UpstreamConnection>();
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  #cancelSweep: CancelTask | undefined = undefined;
  #closed = false;

  constructor(options: UpstreamPoolOptions) {
    this.#clock = options.clock;
    this.#idleLimit = options.idleLimit ?? 320;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 60_000;
    this.#requestsPerConnection = options.requestsPerConnection ?? 1000;
  }

  get openConnections(): number {
    return this.#open.size;
  }

  /**
   * The target of this address, the same object for every caller that holds it. Each call is answered by one `retire`.
   * Throws a RangeError for an address that is no IP literal or a port that is none.
   */
  target(address: string, port: number): UpstreamTarget {
    if (isIP(address) === 0) throw new RangeError('an upstream address must be an IP literal');
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError('an upstream port must be from 1 to 65535');
    const key = `${address} ${port}`;
    let target = this.#targets.get(key);
    if (target === undefined) {
      target = new PooledTarget(address, port);
      this.#targets.set(key, target);
    }
    target.holders++;
    return target;
  }

  /** Ends one hold. After the last, idle connections close at once and busy ones after their request. */
  retire(target: UpstreamTarget): void {
    const pooled = pooledTarget(target);
    if (pooled.holders === 0 || --pooled.holders > 0) return;
    this.#targets.delete(`${pooled.address} ${pooled.port}`);
    for (const connection of pooled.idle.splice(0)) connection.destroy();
  }

  /** Closes everything; requests in flight fail. */
  close(): void {
    this.#closed = true;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const connection of this.#open) connection.transport.destroy();
    for (const target of this.#targets.values()) target.idle.length = 0;
  }

  /** An idle connection, or else a fresh one, which is not connected yet. */
  acquire(target: UpstreamTarget, owner: UpstreamOwner): UpstreamConnection {
    const pooled = pooledTarget(target);
    const nowMs = this.#clock.monotonicMs();
    for (let idle = pooled.idle.pop(); idle !== undefined; idle = pooled.idle.pop()) {
      if (nowMs < idle.idleUntilMs && !idle.closed) {
        idle.owner = owner;
        return idle;
      }
      idle.destroy();
    }
    return this.connect(pooled, owner);
  }

  /** A fresh connection, whatever is idle. */
  connect(target: UpstreamTarget, owner: UpstreamOwner): UpstreamConnection {
    const connection = new UpstreamConnection(pooledTarget(target), owner, this, this.#readBuffer);
    this.#open.add(connection);
    this.#cancelSweep ??= this.#clock.schedule(SWEEP_MS, () => this.#sweep());
    return connection;
  }

  /** Takes back a connection on which nothing is in flight. `keepAliveMs` is what the upstream announced, or infinity. */
  release(connection: UpstreamConnection, keepAliveMs: number): void {
    const target = connection.target;
    const idleMs = Math.min(this.#idleTimeoutMs, keepAliveMs - SAFETY_MS);
    connection.owner = undefined;
    const worn = connection.requests >= this.#requestsPerConnection || connection.closed;
    if (worn || target.holders === 0 || idleMs <= 0 || this.#closed) {
      connection.destroy();
      return;
    }
    connection.idleUntilMs = this.#clock.monotonicMs() + idleMs;
    target.idle.push(connection);
    if (target.idle.length > this.#idleLimit) target.idle.shift()?.destroy();
  }

  onIdleDisturbed(connection: UpstreamConnection): void {
    connection.target.removeIdle(connection);
    connection.destroy();
  }

  onGone(connection: UpstreamConnection): void {
    this.#open.delete(connection);
    connection.target.removeIdle(connection);
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const target of this.#targets.values()) {
      for (const connection of target.idle.filter((idle) => idle.idleUntilMs <= nowMs)) this.onIdleDisturbed(connection);
    }
    if (this.#open.size > 0) this.#cancelSweep = this.#clock.schedule(SWEEP_MS, () => this.#sweep());
  }
}

function pooledTarget(target: UpstreamTarget): PooledTarget {
  if (target instanceof PooledTarget) return target;
  throw new TypeError('an upstream target must come from UpstreamPool.target');
}
