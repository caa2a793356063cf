import type { UpstreamTarget } from '../exchange.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** How the connections of a target are kept between requests. */
export interface KeepAliveSettings {
  /** Most idle connections of one worker. */
  readonly size: number;
  /** Longest time a connection is kept idle. */
  readonly idleTimeoutMs: number;
  /** A connection is closed after this many requests. */
  readonly requests: number;
}

/** An address of an upstream with its idle connections, the one used last on top: it is the least likely to be stale. */
export class PooledTarget implements UpstreamTarget {
  readonly address: string;
  readonly port: number;
  readonly keepAlive: KeepAliveSettings;
  /** Undefined: its connections are in clear. */
  readonly tls: UpstreamTls | undefined;
  /** The last one that the upstream gave. */
  session: Buffer | undefined = undefined;
  /** How many users of `UpstreamPool.target` have not retired it. */
  holders = 0;
  readonly idle: UpstreamConnection[] = [];

  constructor(address: string, port: number, keepAlive: KeepAliveSettings, tls: UpstreamTls | undefined) {
    this.address = address;
    this.port = port;
    this.keepAlive = keepAlive;
    this.tls = tls;
  }

  removeIdle(connection: UpstreamConnection): void {
    const index = this.idle.lastIndexOf(connection);
    if (index !== -1) this.idle.splice(index, 1);
  }
}
