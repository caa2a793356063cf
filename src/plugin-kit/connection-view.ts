import type { ErrorReason } from '../errors/index.ts';
import type { RequestView } from './request-view.ts';

/** A client's connection on a stream route, as plugins see it: what it has in common with a request. UDP: what one client sends and gets. */
export type ConnectionView = Pick<
  RequestView,
  'remoteAddress' | 'remotePort' | 'startedAtMs' | 'route' | 'variable' | 'get' | 'set' | 'serviceUpstream' | 'useUpstream' | 'beginWait'
>;

/** A connection that is over. Times are monotonic milliseconds, 0 where it never got there. */
export interface ClosedConnection extends ConnectionView {
  readonly protocol: 'tcp' | 'udp';
  /** Why it was refused or cut short; undefined for one that ended in order. */
  readonly reason: ErrorReason | undefined;
  /** Address and port of the node that was asked last; undefined where none was. */
  readonly upstreamAddress: string | undefined;
  readonly attempts: number;
  readonly bytesFromClient: number;
  readonly bytesToClient: number;
  readonly connectedAtMs: number;
  readonly finishedAtMs: number;
}
