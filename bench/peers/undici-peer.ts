import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startNodeChild } from './node-child.ts';
import type { Peer } from './peer.ts';

/** What one writes in Node.js without us: `node:http` in front, undici's `dispatch` behind. */
export const undiciPeer: Peer = {
  name: 'undici',
  version() {
    const file = new URL('../../node_modules/undici/package.json', import.meta.url);
    const { version }: { readonly version: string } = JSON.parse(readFileSync(file, 'utf8'));
    return version;
  },
  refuses({ accessLog, workers, connectionLimit }) {
    if (accessLog) return 'it has no access log';
    if (workers > 1) return 'it has one thread';
    return connectionLimit === undefined ? undefined : 'it has no limit';
  },
  async start(job) {
    const file = path.join(job.folder, 'keys.txt');
    job.keys.writeLines(file, ({ key, consumer }) => `${key} ${consumer}`);
    const words = [file, String(job.upstreamPort), String(job.hangingPort)];
    const { child, port } = await startNodeChild(
      job.session,
      new URL('./undici-proxy-process.ts', import.meta.url),
      words,
      job.cores.gateway,
    );
    return { port, dataPlane: () => [child.pid ?? -1], others: () => [], stop: () => job.session.end(child) };
  },
};
