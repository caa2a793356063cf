import type { UpstreamConnection } from '../upstream/upstream-connection.ts';
import type { UpstreamPool } from '../upstream/upstream-pool.ts';
import { isSeldomWithBody } from './method-traits.ts';

/**
 * When an upstream's connection may serve another request. A server that does not read a body as one (CL.0) takes it for a request
 * and answers that too, behind the end of the exchange; and some send a body where there can be none (RFC 9112 §6.3: HEAD, 204, 304),
 * which would be read as the next answer. Neither must meet whoever comes next.
 */
export const REUSE = {
  /** No body was sent, and what the answer has of one is read. */
  atOnce: 0,
  /** What has arrived uninvited by then drops the connection. */
  later: 1,
  never: 2,
} as const;

/** One of `REUSE`, for a request of the method `bytes[start, end)` with or without a body. */
export function reuseAfter(bytes: Buffer, start: number, end: number, hasBody: boolean): number {
  if (!hasBody) return REUSE.atOnce;
  return isSeldomWithBody(bytes, start, end) ? REUSE.never : REUSE.later;
}

/** As `reuse`, when the answer has come and ends with its head. */
export function reuseAfterBodyless(reuse: number): number {
  return reuse === REUSE.atOnce ? REUSE.later : reuse;
}

/** Takes leave of a connection whose exchange is complete. `clean`: nothing of the exchange is on its way in either direction. */
export function letGo(pool: UpstreamPool, connection: UpstreamConnection, reuse: number, clean: boolean, keepAliveMs: number): void {
  if (!clean || reuse === REUSE.never) connection.destroy();
  else if (reuse === REUSE.atOnce) pool.release(connection, keepAliveMs);
  else pool.releaseLater(connection, keepAliveMs);
}
