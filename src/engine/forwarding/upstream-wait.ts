import type { ErrorReason } from '../../errors/index.ts';
import type { ForwardPlan } from '../exchange.ts';
import type { UpstreamConnection } from '../upstream/upstream-connection.ts';

/** How long the upstream has kept the gateway waiting, for whatever it is that it waits. */
export class UpstreamWait {
  /** Monotonic time of its last progress. */
  sinceMs = 0;
  /** What it had taken when a sweep last found it behind. */
  #takenBytes = 0;

  /** The time-out that has passed, if one has. `wantsResponse`: nothing but the upstream is in the way of more of the response. */
  overdue(connection: UpstreamConnection, plan: ForwardPlan, wantsResponse: boolean, nowMs: number): ErrorReason | undefined {
    const waitedMs = nowMs - this.sinceMs;
    if (!connection.ready) return waitedMs >= plan.connectTimeoutMs ? 'connect_timeout' : undefined;
    const { transport } = connection;
    if (transport.pendingBytes === 0) return wantsResponse && waitedMs >= plan.readTimeoutMs ? 'upstream_read_timeout' : undefined;
    // One write may be more than a slow upstream takes within the time-out.
    if (transport.takenBytes === this.#takenBytes) return waitedMs >= plan.sendTimeoutMs ? 'upstream_send_timeout' : undefined;
    this.#takenBytes = transport.takenBytes;
    this.sinceMs = nowMs;
    return undefined;
  }
}
