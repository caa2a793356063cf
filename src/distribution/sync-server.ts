import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { StartError } from '../errors/index.ts';
import type { Listener } from '../lib/listener.ts';
import type { Logger } from '../observability/logger.ts';
import { type InstanceName, readInstanceName } from './instance-name.ts';
import { SYNC_PATH, SYNC_UPGRADE } from './protocol.ts';

/** The server's own key and certificate, and the authority that certifies gateways; all PEM. */
export interface SyncTls {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
}

/** What the sync servers need, and whom they tell. */
export interface SyncServerOptions {
  readonly listeners: readonly Listener[];
  readonly tls: SyncTls;
  readonly log: Logger;
  /** A gateway instance has opened a sync connection; `101` has been sent. */
  readonly onPeer: (peer: { readonly name: InstanceName; readonly socket: Duplex; readonly head: Buffer }) => void;
}

/** Sync servers that listen. */
export interface SyncServers {
  /** One a listener, in their order. */
  readonly ports: readonly number[];
  /** Accepts nothing new; connections that were upgraded belong to whoever got them. */
  close(): Promise<void>;
}

/** What a client may take to show its certificate and to say what it wants. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * HTTPS on every listener, for clients whose certificate the authority signed, over TLS 1.3. Only `GET /sync` with the right
 * `Upgrade` leads anywhere.
 *
 * @throws StartError when a listener cannot be opened; those opened before are closed again
 */
export async function startSyncServers(options: SyncServerOptions): Promise<SyncServers> {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  try {
    for (const listener of options.listeners) {
      const server = createSyncServer(options);
      if (await listen(server, listener, options.listeners.length)) servers.push(server);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { ports: servers.map(portOf), close };
}

function createSyncServer(options: SyncServerOptions): Server {
  const server = createServer({
    ...options.tls,
    minVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    headersTimeout: HANDSHAKE_TIMEOUT_MS,
    requestTimeout: HANDSHAKE_TIMEOUT_MS,
    keepAliveTimeout: 1_000,
  });
  server.on('request', answerPlainRequest);
  server.on('upgrade', (request, socket, head) => upgrade(options, request, socket, head));
  server.on('tlsClientError', (error) => options.log.debug('a sync connection was refused', { cause: error.message }));
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

function answerPlainRequest(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === SYNC_PATH) response.writeHead(426, { Upgrade: SYNC_UPGRADE, Connection: 'Upgrade, close' });
  else response.writeHead(404, { Connection: 'close' });
  response.end();
}

function upgrade(options: SyncServerOptions, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  // A peer that goes away while it is being answered is no failure of ours.
  socket.on('error', () => undefined);
  const refuse = (status: string): void => {
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  };
  if (request.url !== SYNC_PATH || request.method !== 'GET') {
    refuse('404 Not Found');
    return;
  }
  if (request.headers.upgrade?.toLowerCase() !== SYNC_UPGRADE) {
    refuse('426 Upgrade Required');
    return;
  }
  let name: InstanceName;
  try {
    name = peerName(socket);
  } catch (error) {
    options.log.warn('a sync connection was refused', { cause: error instanceof Error ? error.message : 'unknown' });
    refuse('403 Forbidden');
    return;
  }
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${SYNC_UPGRADE}\r\n\r\n`);
  options.onPeer({ name, socket, head });
}

function peerName(socket: Duplex): InstanceName {
  const certificate = socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined) throw new Error('no certificate was verified');
  return readInstanceName(certificate);
}

/** False when the address does not exist on this machine and others do. */
async function listen(server: Server, listener: Listener, listenerCount: number): Promise<boolean> {
  if (listener.kind === 'descriptor') server.listen({ fd: listener.fd });
  else server.listen({ host: listener.host, port: listener.port });
  try {
    await once(server, 'listening');
    return true;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    // A machine without IPv6 is no reason to refuse.
    if (listener.host === '::1' && listenerCount > 1 && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) return false;
    const place = `${listener.host} port ${listener.port}`;
    if (code === 'EADDRINUSE') throw new StartError(`The sync port is in use: ${place}.`, { cause });
    throw new StartError(`The control plane cannot listen for gateways on ${place} (${code}).`, { cause });
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
