import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { nginxConfiguration } from './peers/nginx-configuration.ts';
import { startNginx } from './peers/start-nginx.ts';
import { freePort } from './session/free-port.ts';
import type { Session } from './session/session.ts';

/** Body lengths that the upstream has an answer for: `/bench/<length>`. */
const LENGTHS = [100, 10_240, 1_048_576];

export interface Upstreams {
  readonly port: number;
  readonly hangingPort: number;
  /** Speaks HTTP/2 in clear and answers what gRPC asks. */
  readonly grpcPort: number;
  /** Lets go of the hanging connections and of the process. */
  stop(): Promise<void>;
}

/** The upstream of all peers: fixed answers out of nginx; and one that accepts, reads and never answers. */
export async function startUpstreams(session: Session, cores: string | undefined): Promise<Upstreams> {
  const folder = session.makeFolder('upstream');
  for (const length of LENGTHS) writeFileSync(path.join(folder, String(length)), 'x'.repeat(length));
  const port = await freePort();
  const grpcPort = await freePort();
  const configuration = nginxConfiguration(folder, 1, answersOf(folder, port, grpcPort));
  const child = await startNginx({ session, folder, cores, port, configuration });
  const hanging = await startHanging();
  const stop = async (): Promise<void> => {
    hanging.stop();
    await session.end(child);
  };
  return { port, hangingPort: hanging.port, grpcPort, stop };
}

function answersOf(folder: string, port: number, grpcPort: number): string {
  return `
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    default_type application/octet-stream;
    location = /bench/accept { return 200 "${'x'.repeat(100)}"; }
    location = /v1/traces { return 200 "{}"; }
    location = /bench/consumer { return 200 "$http_x_consumer_username"; }
    location /bench/ { alias ${folder}/; }
  }
  server {
    listen 127.0.0.1:${grpcPort} http2;
    default_type application/grpc;
    location = /grpc/100 { return 200 "${'x'.repeat(100)}"; }
  }`;
}

async function startHanging(): Promise<{ readonly port: number; stop(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.unref();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  // A run that fails before it stops this has to end all the same.
  server.unref();
  const address = server.address();
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, stop };
}
