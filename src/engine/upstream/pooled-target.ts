import type { UpstreamTarget } from '../exchange.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** An address of an upstream with its idle connections, the one used last on top: it is the least likely to be stale. */
export class PooledTarget implements UpstreamTarget {
  readonly address: string;
  readonly port: number;
  /** How many users of `UpstreamPool.target` have not retired it. */
  holders = 0;
  readonly idle: UpstreamConnection[] = [];

  constructor(address: string, port: number) {
    this.address = address;
    this.port = port;
  }

  removeIdle(connection: UpstreamConnection): void {
    const index = this.idle.lastIndexOf(connection);
    if (index !== -1) this.idle.splice(index, 1);
  }
}
