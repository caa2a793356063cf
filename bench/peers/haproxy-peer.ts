import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from '../session/find-program.ts';
import { freePort } from '../session/free-port.ts';
import { answers } from '../session/http-answer.ts';
import { until } from '../session/until.ts';
import type { Peer, PeerJob } from './peer.ts';
import { requireAlive } from './start-nginx.ts';

const START_LIMIT_MS = 60_000;

/** HAProxy with the keys in a map file. */
export const haproxyPeer: Peer = {
  name: 'haproxy',
  version() {
    const program = findProgram('haproxy');
    return program === undefined ? undefined : /version (\S+)/.exec(spawnSync(program, ['-v'], { encoding: 'utf8' }).stdout)?.[1];
  },
  refuses: ({ accessLog }) => (accessLog ? 'it writes no log file by itself' : undefined),
  async start(job) {
    const port = await freePort();
    job.keys.writeLines(path.join(job.folder, 'keys.map'), ({ key, consumer }) => `${key} ${consumer}`);
    const file = path.join(job.folder, 'haproxy.cfg');
    writeFileSync(file, configuration(job, port));
    const child = job.session.spawn(findProgram('haproxy') ?? 'haproxy', ['-db', '-q', '-f', file], { cores: job.cores.gateway });
    await until(() => requireAlive(child) && answers(port), 'HAProxy answers', START_LIMIT_MS);
    return { port, dataPlane: () => [child.pid ?? -1], others: () => [], stop: () => job.session.end(child) };
  },
};

function configuration({ setup, folder, upstreamPort, hangingPort }: PeerJob, port: number): string {
  return `global
  nbthread ${setup.workers}
  maxconn ${setup.connectionLimit ?? 8000}
  hard-stop-after 2s
defaults
  mode http
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
  http-reuse always
frontend gateway
  bind 127.0.0.1:${port} backlog 4096
  http-request set-var(txn.consumer) req.hdr(apikey),map_str(${folder}/keys.map)
  http-request return status 401 content-type application/json string '{"message":"Invalid API key in request"}' unless { var(txn.consumer) -m found }
  http-request set-header X-Consumer-Username %[var(txn.consumer)]
  use_backend hanging if { path_beg /hang/ }
  default_backend service
backend service
  server one 127.0.0.1:${upstreamPort}
backend hanging
  server one 127.0.0.1:${hangingPort}
`;
}
