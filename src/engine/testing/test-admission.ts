import type { ErrorReason } from '../../errors/index.ts';
import type { ConnectionAdmission } from '../connection-admission.ts';

/** Counts the connections of one engine against limits that a test may change at any time. */
export class TestAdmission implements ConnectionAdmission {
  clientLimit = Number.POSITIVE_INFINITY;
  upstreamLimit = Number.POSITIVE_INFINITY;
  /** Addresses that are refused for themselves. */
  readonly fullAddresses = new Set<string>();
  clients = 0;
  upstreams = 0;
  readonly refusals: ErrorReason[] = [];

  admitClient(address: string): ErrorReason | undefined {
    if (this.fullAddresses.has(address)) return 'too_many_connections_of_client';
    if (this.clients >= this.clientLimit) return 'too_many_connections';
    this.clients++;
    return undefined;
  }

  clientGone(): void {
    this.clients--;
  }

  admitUpstream(): ErrorReason | undefined {
    if (this.upstreams >= this.upstreamLimit) return 'too_many_upstream_connections';
    this.upstreams++;
    return undefined;
  }

  upstreamGone(): void {
    this.upstreams--;
  }

  refused(reason: ErrorReason): void {
    this.refusals.push(reason);
  }
}
