import type { Clock } from '../../lib/clock.ts';
import type { TunnelContext } from '../tunnel/tunnel.ts';
import type { UpstreamPool } from '../upstream/upstream-pool.ts';
import type { StreamHandler } from './stream-plan.ts';

/** What all connections of a stream server share. */
export interface StreamContext extends TunnelContext {
  readonly clock: Clock;
  readonly pool: UpstreamPool;
  readonly handler: StreamHandler;
  /** Hears what the handler threw; the streams concerned have ended already. */
  readonly onFailure: (error: unknown) => void;
}
