import type { UpstreamTarget } from '../exchange.ts';
import type { UpstreamSessions } from '../http2/upstream-sessions.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { KeepAliveSettings } from './keep-alive-settings.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** An address of an upstream with its idle connections, the one given back last on top: it is the least likely to be stale. */
export class PooledTarget implements UpstreamTarget {
  readonly address: string;
  readonly port: number;
  readonly keepAlive: KeepAliveSettings;
  /** Undefined: its connections are in clear. */
  readonly tls: UpstreamTls | undefined;
  /** Its HTTP/2 connections, which carry many requests each; undefined: it speaks HTTP/1.1. */
  sessions: UpstreamSessions | undefined = undefined;
  /** The last one that the upstream gave. */
  session: Buffer | undefined = undefined;
  /** How many users of `UpstreamPool.target` have not retired it. */
  holders = 0;
  /** Connections that have settled, the one given back last on top. */
  readonly #settled: UpstreamConnection[] = [];
  /** Those given back in the turn `#turn` of the event loop; the places behind the first `#freshCount` are empty. */
  readonly #fresh: (UpstreamConnection | undefined)[] = [];
  #freshCount = 0;
  #turn = -1;

  constructor(address: string, port: number, keepAlive: KeepAliveSettings, tls: UpstreamTls | undefined) {
    this.address = address;
    this.port = port;
    this.keepAlive = keepAlive;
    this.tls = tls;
  }

  get idleCount(): number {
    return this.#settled.length + this.#freshCount;
  }

  /** All that are idle, the one given back first in front. */
  get idle(): readonly UpstreamConnection[] {
    return [...this.#settled, ...this.#fresh.flatMap((connection) => connection ?? [])];
  }

  get longestIdle(): UpstreamConnection | undefined {
    return this.#settled[0] ?? this.#fresh[0];
  }

  /** `connection` is idle from the turn `loopCount` of the event loop on. */
  putIdle(connection: UpstreamConnection, loopCount: number): void {
    if (loopCount !== this.#turn) this.#settle(loopCount);
    this.#fresh[this.#freshCount++] = connection;
  }

  /**
   * Takes the topmost idle connection that was given back before the turn `loopCount` of the event loop, so that the system has been asked
   * since what has arrived on it.
   */
  takeSettled(loopCount: number): UpstreamConnection | undefined {
    if (loopCount !== this.#turn) this.#settle(loopCount);
    return this.#settled.pop();
  }

  /** Takes one that was given back in this turn. */
  takeFresh(): UpstreamConnection | undefined {
    if (this.#freshCount === 0) return undefined;
    const connection = this.#fresh[--this.#freshCount];
    this.#fresh[this.#freshCount] = undefined;
    return connection;
  }

  removeIdle(connection: UpstreamConnection): void {
    const index = this.#settled.lastIndexOf(connection);
    if (index !== -1) {
      this.#settled.splice(index, 1);
      return;
    }
    const place = this.#fresh.indexOf(connection);
    if (place === -1) return;
    this.#fresh.splice(place, 1);
    this.#freshCount--;
  }

  /** Empties it. */
  takeAll(): readonly UpstreamConnection[] {
    this.#settle(this.#turn);
    return this.#settled.splice(0);
  }

  /** Those that were given back before the turn that begins have waited for one. */
  #settle(loopCount: number): void {
    this.#turn = loopCount;
    // Not emptied by its length, which would let go of its memory each turn.
    for (let index = 0; index < this.#freshCount; index++) {
      const connection = this.#fresh[index];
      if (connection !== undefined) this.#settled.push(connection);
      this.#fresh[index] = undefined;
    }
    this.#freshCount = 0;
  }
}
