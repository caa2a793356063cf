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
  readonly idle: UpstreamConnection[] = [];

  constructor(address: string, port: number, keepAlive: KeepAliveSettings, tls: UpstreamTls | undefined) {
    this.address = address;
    this.port = port;
    this.keepAlive = keepAlive;
    this.tls = tls;
  }

  /**
   * Takes the topmost idle connection that was given back before the turn `loopCount` of the event loop, so that the system has been asked
   * since what has arrived on it.
   */
  takeSettled(loopCount: number): UpstreamConnection | undefined {
    const { idle } = this;
    for (let index = idle.length - 1; index >= 0; index--) {
      const connection = idle[index];
      if (connection === undefined || connection.freedTurn >= loopCount) continue;
      return index === idle.length - 1 ? idle.pop() : idle.splice(index, 1)[0];
    }
    return undefined;
  }

  removeIdle(connection: UpstreamConnection): void {
    const index = this.idle.lastIndexOf(connection);
    if (index !== -1) this.idle.splice(index, 1);
  }
}
