import dgram from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { ByteStream } from '../src/engine/testing/byte-stream.ts';
import type { TestEnd } from '../src/gateway/testing/test-upstream.ts';
import type { JsonObject } from '../src/lib/json.ts';
import type { SnapshotItem } from '../src/schema/index.ts';

export { closedPort } from '../src/engine/testing/test-engine.ts';

/** A TCP server that sends back what it gets, each piece behind its name. */
export interface EchoServer {
  readonly port: number;
  readonly connections: ReadonlySet<Socket>;
}

/** Listens on 127.0.0.1, on a free port unless one is given, until the test ends. */
export async function startTcpEcho(test: TestEnd, name: string, on = 0): Promise<EchoServer> {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.on('data', (bytes) => socket.write(`${name}:${bytes}`));
    socket.on('error', () => {});
    socket.on('close', () => connections.delete(socket));
  });
  server.listen(on, '127.0.0.1');
  await once(server, 'listening');
  test.after(() => {
    server.close();
    for (const socket of connections) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the echo has no port');
  return { port: address.port, connections };
}

/** The same with datagrams. */
export async function startUdpEcho(test: TestEnd, name: string, on = 0): Promise<{ readonly port: number }> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (bytes, { address, port }) => socket.send(`${name}:${bytes}`, port, address));
  socket.bind(on, '127.0.0.1');
  await once(socket, 'listening');
  test.after(() => socket.close());
  return { port: socket.address().port };
}

/** A UDP port of 127.0.0.1 on which nobody listens. */
export async function closedUdpPort(): Promise<number> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** Connects to 127.0.0.1; the connection is cut when the test ends. */
export async function openStream(test: TestEnd, port: number, from: { readonly localAddress?: string } = {}): Promise<ByteStream> {
  const socket = connect({ port, host: '127.0.0.1', ...from, allowHalfOpen: true, noDelay: true });
  const stream = new ByteStream(socket);
  test.after(() => socket.destroy());
  // One that is refused may be gone before it knows that it was connected.
  await once(socket, 'connect').catch(() => {});
  return stream;
}

/** Sends one datagram to 127.0.0.1 and gives the first that comes back. */
export async function askByUdp(test: TestEnd, port: number, text: string): Promise<string> {
  const socket = dgram.createSocket('udp4');
  test.after(() => {
    try {
      socket.close();
    } catch {}
  });
  socket.send(text, port, '127.0.0.1');
  const [answer] = await once(socket, 'message');
  socket.close();
  return String(answer);
}

/** A service of type `stream` with nodes on 127.0.0.1. */
export function streamServiceItem(id: string, ports: readonly number[], more: JsonObject = {}, upstream: JsonObject = {}): SnapshotItem {
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port, weight: 1 }));
  return { kind: 'service', id, value: { name: id, type: 'stream', upstream: { scheme: 'tcp', nodes, ...upstream }, ...more } };
}

/** A stream route of a service. */
export function streamRouteItem(id: string, service: string, more: JsonObject = {}): SnapshotItem {
  return { kind: 'stream_route', id, value: { name: id, service_id: service, ...more } };
}
