/** What one gateway instance takes on at once, over all its workers. */
export interface InstanceLimits {
  /** Open connections of clients, idle ones too. */
  readonly clientConnections: number;
  /** Open connections to upstreams: idle, busy, and being made. */
  readonly upstreamConnections: number;
  /** Open connections of one client address, of an IPv6 client's /64; 0: no such limit. */
  readonly connectionsPerAddress: number;
  /** Requests of one service on their way through an upstream. */
  readonly requestsPerService: number;
  /** Requests on their way through one node; 0: no such limit. */
  readonly requestsPerNode: number;
}

/** What a user may set; what is absent is derived. */
export type LimitSettings = Partial<InstanceLimits>;

/** Of the descriptors a process may open; what is left is for listeners, logs, the control plane and answers of refusal. */
const SHARE_OF_EACH_SIDE = 0.45;
/** Whatever the system allows, no instance plans for more: memory ends before. */
const MOST_DESCRIPTORS = 1_048_576;
const SHARE_OF_DATAGRAMS = 0.25;
/** A process with fewer descriptors could not serve at all. */
const FEWEST_CONNECTIONS = 16;
/** Of what is left, that connections may take which are only told that there is no room. */
const REFUSED_SHARE_OF_REST = 0.5;
const FEWEST_REFUSED = 2;
/** As many as one turn of the event loop may accept (the kernel's queue), with room for those not yet answered. */
const MOST_REFUSED = 1_024;

/**
 * The limits that follow from how many descriptors this process may open, as far as they are not set. Whatever is set, no service gets
 * more than half of the connections to upstreams: one that hangs must leave room for the others.
 */
export function deriveLimits(descriptors: number, settings: LimitSettings): InstanceLimits {
  const side = Math.max(FEWEST_CONNECTIONS, Math.floor(Math.min(descriptors, MOST_DESCRIPTORS) * SHARE_OF_EACH_SIDE));
  const upstreamConnections = settings.upstreamConnections ?? side;
  const mostOfOneService = Math.max(1, Math.floor(upstreamConnections / 2));
  return {
    clientConnections: settings.clientConnections ?? side,
    upstreamConnections,
    connectionsPerAddress: settings.connectionsPerAddress ?? 0,
    requestsPerService: Math.min(settings.requestsPerService ?? mostOfOneService, mostOfOneService),
    requestsPerNode: settings.requestsPerNode ?? 0,
  };
}

/** How many connections each worker may keep that are only told that there is no room. */
export function deriveRefusedConnections(descriptors: number, workers: number): number {
  const rest = Math.min(descriptors, MOST_DESCRIPTORS) * (1 - 2 * SHARE_OF_EACH_SIDE);
  return Math.min(MOST_REFUSED, Math.max(FEWEST_REFUSED, Math.floor((rest * REFUSED_SHARE_OF_REST) / workers)));
}

/**
 * How many UDP sessions each worker may have. They count as connections of both sides, but their senders' addresses can be made up: most of the
 * connections are left to clients who have shown that they exist.
 */
export function deriveDatagramSessions({ clientConnections, upstreamConnections }: InstanceLimits, workers: number): number {
  return Math.max(1, Math.floor((Math.min(clientConnections, upstreamConnections) * SHARE_OF_DATAGRAMS) / workers));
}

/** Whether the limits ask for more descriptors than there are. */
export function exceedsDescriptors(limits: InstanceLimits, descriptors: number): boolean {
  return limits.clientConnections + limits.upstreamConnections > descriptors;
}
