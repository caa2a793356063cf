import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hostileRequests, SMUGGLED } from '../src/engine/testing/hostile-requests.ts';
import { startRecordingUpstream } from '../src/engine/testing/recording-upstream.ts';
import { sendRaw } from '../src/engine/testing/send-raw.ts';

/**
 * Sends our table of hostile requests to nginx and HAProxy with their default settings and prints what each answered and what its
 * upstream got, for comparison: `node scripts/hostile-peers.ts`. Needs /usr/sbin/nginx and /usr/sbin/haproxy; leaves nothing behind.
 */
const folder = await mkdtemp(path.join(tmpdir(), 'hostile-peers-'));
const upstream = await startRecordingUpstream();
const stops: (() => Promise<void>)[] = [];

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

try {
  const nginxPort = await freePort();
  const haproxyPort = await freePort();
  await writeFile(path.join(folder, 'nginx.conf'), nginxConfiguration(nginxPort));
  await writeFile(path.join(folder, 'haproxy.cfg'), haproxyConfiguration(haproxyPort));
  start('/usr/sbin/nginx', ['-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')]);
  start('/usr/sbin/haproxy', ['-db', '-f', path.join(folder, 'haproxy.cfg')]);
  await listening(nginxPort);
  await listening(haproxyPort);
  console.log('| case | ours | nginx | HAProxy |\n|---|---|---|---|');
  for (const { name, text, statuses, forwarded } of hostileRequests) {
    const ours = cell(statuses, forwarded === '' ? [] : ['as in the table']);
    console.log(`| ${name} | ${ours} | ${await ask(nginxPort, text)} | ${await ask(haproxyPort, text)} |`);
  }
} finally {
  for (const stop of stops) await stop();
  upstream.close();
}

async function ask(port: number, text: string): Promise<string> {
  upstream.clear();
  // Behind the request the client stays open for a moment: a peer may take the end of its side for the end of its interest.
  const outcome = await sendRaw(port, text + SMUGGLED, { timeoutMs: 400, staysOpen: true });
  return cell(outcome.statuses, upstream.requests());
}

function cell(statuses: readonly number[], requests: readonly string[]): string {
  const served = requests.length === 0 ? '' : `; upstream: ${requests.map((request) => request.slice(0, 40)).join(', ')}`;
  return `${statuses.join(' ') || 'nothing'}${served}`.replaceAll('|', '\\|').replaceAll(/[^ -~]/g, '?');
}

function start(program: string, options: readonly string[]): void {
  const child = spawn(program, options, { stdio: ['ignore', 'ignore', 'inherit'] });
  process.once('exit', () => child.kill('SIGTERM'));
  stops.push(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}

function nginxConfiguration(port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ');
  return `user root; daemon off; pid ${folder}/nginx.pid; worker_processes 1; error_log /dev/null;
events {}
http { access_log off; ${temporary}
  upstream node { server 127.0.0.1:${upstream.port}; keepalive 16; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://node; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}`;
}

function haproxyConfiguration(port: number): string {
  return `defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen gateway
  bind 127.0.0.1:${port}
  server node 127.0.0.1:${upstream.port}
`;
}
