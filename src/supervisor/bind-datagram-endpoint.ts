import dgram from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { StartError } from '../errors/index.ts';
import { descriptorOf, stopReceiving } from '../lib/udp-handle.ts';
import { type BoundEndpoint, type Endpoint, explainBindFailure, NO_SUCH_FAMILY } from './bind-endpoint.ts';
import { BindError, type BoundSocket } from './bound-socket.ts';
import { guardPort } from './port-guard.ts';

/** Binds UDP sockets as `bindEndpoint` does those of TCP. They receive nothing here: datagrams wait for the child that inherits them. @throws StartError */
export async function bindDatagramEndpoint(endpoint: Endpoint, copies: number): Promise<BoundEndpoint> {
  const [named] = endpoint.hosts;
  const host = named ?? '::';
  try {
    return await bindGroup(host, endpoint.port, copies);
  } catch (error) {
    if (named === undefined && error instanceof BindError && NO_SUCH_FAMILY.includes(error.code)) {
      return await bindGroup('0.0.0.0', endpoint.port, copies);
    }
    throw explainBindFailure(error, endpoint, host);
  }
}

async function bindGroup(host: string, wantedPort: number, copies: number): Promise<BoundEndpoint> {
  // Sockets that share a port do not notice one another: one that shares nothing finds out whether it is free.
  if (wantedPort !== 0) (await bindSocket(host, wantedPort, false)).close();
  const first = await bindSocket(host, wantedPort, true);
  const { port } = first;
  const guard = await guardPort({ host: `udp-${host}`, port });
  if (guard === undefined) {
    first.close();
    throw new BindError('EADDRINUSE', host, port);
  }
  const sockets = [first];
  while (sockets.length < copies) sockets.push(await bindSocket(host, port, true));
  return { port, addresses: [{ host, sockets, guard }] };
}

async function bindSocket(host: string, port: number, reusePort: boolean): Promise<BoundSocket> {
  const socket = dgram.createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reusePort });
  socket.bind({ address: host, port, exclusive: true });
  try {
    await once(socket, 'listening');
  } catch (error) {
    throw new BindError(error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN', host, port);
  }
  const fd = descriptorOf(socket);
  // In the same turn in which it was bound: nothing has been received.
  if (fd === undefined || !stopReceiving(socket)) {
    socket.close();
    throw new StartError('This Node cannot bind UDP sockets for its children.');
  }
  socket.unref();
  return { fd, host, port: socket.address().port, close: () => socket.close() };
}
