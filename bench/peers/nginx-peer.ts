import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { NGINX_ZONES, PLUGIN_VARIANTS, variantPrefix } from '../plugins/plugin-variants.ts';
import { findProgram } from '../session/find-program.ts';
import { freePort } from '../session/free-port.ts';
import { childrenOf } from './children-of.ts';
import { nginxConfiguration } from './nginx-configuration.ts';
import type { Peer, PeerJob } from './peer.ts';
import { startNginx } from './start-nginx.ts';

/** nginx with the keys in a `map`, kept-alive upstream connections and enlarged buffers: the measure for all others. */
export const nginxPeer: Peer = {
  name: 'nginx',
  version() {
    const program = findProgram('nginx');
    return program === undefined ? undefined : spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr.trim().split('/').at(-1);
  },
  refuses: ({ connectionLimit }) => (connectionLimit === undefined ? undefined : 'it has no limit that answers'),
  async start(job) {
    const port = await freePort();
    job.keys.writeLines(path.join(job.folder, 'keys.map'), ({ key, consumer }) => `${key} ${consumer};`);
    if (job.certificate !== undefined) {
      writeFileSync(path.join(job.folder, 'bench.crt'), job.certificate.cert);
      writeFileSync(path.join(job.folder, 'bench.key'), job.certificate.key);
    }
    const child = await startNginx({
      session: job.session,
      folder: job.folder,
      cores: job.cores.gateway,
      configuration: nginxConfiguration(job.folder, job.setup.workers, gateway(job, port)),
      port,
    });
    const master = child.pid ?? -1;
    return {
      port,
      dataPlane: () => [master, ...childrenOf(master).map(({ pid }) => pid)],
      others: () => [],
      stop: () => job.session.end(child),
    };
  },
};

function gateway({ setup, folder, upstreamPort, hangingPort, grpcPort }: PeerJob, port: number): string {
  // Buckets of 512 bytes: with the usual 64 nginx tries table sizes one after the other for minutes before it finds one for a million.
  return `
  ${setup.accessLog ? ACCESS_LOG(folder) : 'access_log off;'}
  map_hash_max_size 4194304;
  map_hash_bucket_size 512;
  map $http_apikey $consumer { default ""; include ${folder}/keys.map; }
  ${setup.pluginVariants ? NGINX_ZONES : ''}
  upstream service { server 127.0.0.1:${upstreamPort}; keepalive 2048; keepalive_requests 1000000000; keepalive_timeout 1h; }
  upstream grpc { server 127.0.0.1:${grpcPort}; keepalive 2048; keepalive_requests 1000000000; keepalive_timeout 1h; }
  upstream hanging { server 127.0.0.1:${hangingPort}; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Consumer-Username $consumer;
  proxy_buffer_size 64k;
  proxy_buffers 32 64k;
  proxy_busy_buffers_size 256k;
  server {
    listen 127.0.0.1:${port} backlog=4096${setup.workers > 1 ? ' reuseport' : ''}${setup.tls ? ' ssl http2' : ''};
    ${setup.tls ? TLS(folder) : ''}
    default_type application/json;
    if ($consumer = "") { return 401 '{"message":"Invalid API key in request"}\n'; }
    location / { proxy_pass http://service; }
    location /hang/ { proxy_pass http://hanging; }
    location /grpc/ { grpc_pass grpc://grpc; grpc_set_header X-Consumer-Username $consumer; }
    ${setup.pluginVariants ? variantLocations() : ''}
  }`;
}

/** The jobs of plugins that nginx can do too, under the same paths. */
function variantLocations(): string {
  const able = PLUGIN_VARIANTS.filter(({ nginx }) => nginx !== undefined);
  // A header that a location sets hides those of the server.
  const headers = 'proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_set_header X-Consumer-Username $consumer;';
  return able
    .map(({ name, nginx = '' }) => `location ${variantPrefix(name)}/ { ${headers} ${nginx} proxy_pass http://service/; }`)
    .join('\n    ');
}

/** Tickets for two hours, as ours. */
const TLS = (folder: string): string =>
  `ssl_certificate ${folder}/bench.crt; ssl_certificate_key ${folder}/bench.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_timeout 2h;`;

/** A line of JSON with about what ours has. */
const ACCESS_LOG = (folder: string): string =>
  `log_format line escape=json '{"time":"$time_iso8601","id":"$request_id","client":"$remote_addr","method":"$request_method","host":"$host",` +
  `"path":"$uri","status":$status,"consumer":"$consumer","node":"$upstream_addr","upstream_status":"$upstream_status",` +
  `"time_total":$request_time,"time_connect":"$upstream_connect_time","time_first_byte":"$upstream_header_time",` +
  `"bytes_in":$request_length,"bytes_out":$bytes_sent}';
  access_log ${folder}/access.log line buffer=64k flush=1s;`;
