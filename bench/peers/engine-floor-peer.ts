import { startNodeChild } from './node-child.ts';
import type { Peer } from './peer.ts';

/** The engine alone: no router, no plugins, no keys, everything forwarded. What a gateway costs above it is the gateway's. */
export const engineFloorPeer: Peer = {
  name: 'engine-floor',
  version: () => process.version,
  refuses: ({ accessLog, workers, connectionLimit }) =>
    accessLog || workers > 1 || connectionLimit !== undefined ? 'it is the bare engine' : undefined,
  async start(job) {
    const words = [String(job.upstreamPort), String(job.hangingPort)];
    const { child, port } = await startNodeChild(
      job.session,
      new URL('./engine-floor-process.ts', import.meta.url),
      words,
      job.cores.gateway,
    );
    return { port, dataPlane: () => [child.pid ?? -1], others: () => [], stop: () => job.session.end(child) };
  },
};
