import { startNodeChild } from './node-child.ts';
import type { Peer } from './peer.ts';

/**
 * Node alone: each client has an upstream connection of its own, and bytes go from one to the other unread. No gateway that runs on Node
 * costs less; how much dearer than nginx it is differs from machine to machine.
 */
export const byteRelayPeer: Peer = {
  name: 'byte-relay',
  version: () => process.version,
  refuses: ({ accessLog, workers, connectionLimit }) =>
    accessLog || workers > 1 || connectionLimit !== undefined ? 'it reads no request' : undefined,
  async start(job) {
    const file = new URL('./byte-relay-process.ts', import.meta.url);
    const { child, port } = await startNodeChild(job.session, file, [String(job.upstreamPort)], job.cores.gateway);
    return { port, dataPlane: () => [child.pid ?? -1], others: () => [], stop: () => job.session.end(child) };
  },
};
