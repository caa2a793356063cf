import { constants, type X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { type SecureContextOptions, TLSSocket } from 'node:tls';
import { StartError } from '../errors/index.ts';
import { canonicalAddress } from '../lib/canonical-address.ts';
import type { Clock } from '../lib/clock.ts';
import type { Listener } from '../lib/listener.ts';
import { messageOf } from '../lib/message-of.ts';
import type { Logger } from '../observability/logger.ts';
import { readCertificates } from './authority-pin.ts';
import { JOIN_PATH, RENEW_PATH } from './join-messages.ts';
import { answerCertificateRequest, type Enrollment, RENEWAL_GRACE_MS } from './join-server.ts';
import { Newcomers } from './newcomers.ts';
import { REASON_HEADER, SYNC_PATH, SYNC_UPGRADE } from './protocol.ts';
import { type VerifiedInstance, verifyInstanceCertificate } from './verify-instance-certificate.ts';

/** The server's own key and certificate, and the authorities that certify gateways; all PEM. */
export interface SyncTls {
  readonly key: string;
  /** The server's, then those by which clients find their way to an authority that they know. */
  readonly cert: string;
  /** All that are trusted, the one that issues now first. */
  readonly ca: string;
}

/** What the sync servers need, and whom they tell. */
export interface SyncServerOptions {
  readonly listeners: readonly Listener[];
  readonly tls: SyncTls;
  /** Who grants certificates; absent: nobody joins here, and nobody renews. */
  readonly enrollment?: Enrollment | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** By which certificates of gateways end; one that was set wrong for a while should keep nobody out. */
  readonly certificateClock: Pick<Clock, 'nowMs'>;
  readonly log: Logger;
  /** A gateway instance has opened a sync connection; `101` has been sent. */
  readonly onPeer: (peer: SyncPeer) => void;
}

/** A gateway instance at the other end of a connection. */
export interface SyncPeer {
  readonly instance: VerifiedInstance;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Sync servers that listen. */
export interface SyncServers {
  /** One a listener, in their order. */
  readonly ports: readonly number[];
  /** For connections from now on. */
  useTls(tls: SyncTls): void;
  /** Accepts nothing new; connections that were upgraded belong to whoever got them. */
  close(): Promise<void>;
}

/** What a client may take to show its certificate and to say what it wants. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** How often node looks whether a request takes too long. */
const TIMEOUT_CHECK_MS = 2_000;
/** Clients at once, on a listener, that have not become a sync connection: those need not have shown a certificate. */
const MOST_NEWCOMERS = 512;
const MAX_REASON = 300;
/** What OpenSSL finds when all else is right. */
const EXPIRED = 'CERT_HAS_EXPIRED';
/** Of one that was granted while this clock or that of another control plane was ahead: when it begins is not looked at. */
const NOT_YET_VALID = 'CERT_NOT_YET_VALID';

/**
 * HTTPS on every listener, over TLS 1.3. `GET /sync` with the right `Upgrade` leads to a sync connection, for clients with a certificate of one of
 * the authorities that holds. `POST /renew` wants one too, which may have expired. `POST /join` is the only thing for clients without one.
 *
 * Every handshake is complete: sessions are not resumed, so that whoever shows a certificate has just proven that the key is his.
 *
 * @throws StartError when a listener cannot be opened; those opened before are closed again
 */
export async function startSyncServers(options: SyncServerOptions): Promise<SyncServers> {
  const servers: SyncServer[] = [];
  let trusted = trustedBy(options.tls);
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  try {
    for (const listener of options.listeners) {
      const created = createSyncServer(options, () => trusted);
      if (await listen(created.server, listener, options.listeners.length)) servers.push(created);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ports: servers.map(({ server }) => portOf(server)),
    useTls: (tls) => {
      for (const { server } of servers) server.setSecureContext(secureContext(tls));
      trusted = trustedBy(tls);
    },
    close,
  };
}

/** For verifying what TLS has let through unverified. */
type Trusted = readonly X509Certificate[];

function trustedBy(tls: SyncTls): Trusted {
  return readCertificates(tls.ca);
}

function secureContext(tls: SyncTls): SecureContextOptions {
  return { ...tls, minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET };
}

interface SyncServer {
  readonly server: Server;
  readonly newcomers: Newcomers;
}

function createSyncServer(options: SyncServerOptions, trusted: () => Trusted): SyncServer {
  const server = createServer({
    ...secureContext(options.tls),
    requestCert: true,
    // Newcomers have none: everything but `/join` asks for itself.
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    headersTimeout: HANDSHAKE_TIMEOUT_MS,
    requestTimeout: HANDSHAKE_TIMEOUT_MS,
    connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    keepAliveTimeout: 1_000,
    maxHeaderSize: 8 * 1024,
  });
  server.on('request', (request, response) => answerRequest(options, trusted(), request, response));
  const newcomers = new Newcomers(server, MOST_NEWCOMERS);
  server.on('upgrade', (request, socket, head) => {
    if (upgrade(options, trusted(), request, socket, head)) newcomers.known(socket);
  });
  server.on('tlsClientError', (error) => options.log.debug('a sync connection was refused', { cause: error.message }));
  server.on('clientError', (_error, socket) => socket.destroy());
  return { server, newcomers };
}

function answerRequest(options: SyncServerOptions, trusted: Trusted, request: IncomingMessage, response: ServerResponse): void {
  const { enrollment, log } = options;
  const { socket } = request;
  const address = canonicalAddress(socket.remoteAddress ?? '') ?? '';
  // A peer that goes away while it is being answered is no failure of ours.
  response.on('error', () => undefined);
  if (enrollment !== undefined && request.method === 'POST' && request.url === JOIN_PATH) {
    void answerCertificateRequest(enrollment, { request, response, peer: undefined, address }, log);
    return;
  }
  if (enrollment !== undefined && request.method === 'POST' && request.url === RENEW_PATH) {
    try {
      const peer = verifiedPeer(socket, trusted, timeOf(options, RENEWAL_GRACE_MS));
      void answerCertificateRequest(enrollment, { request, response, peer, address }, log);
    } catch (error) {
      refuse(options, response, error);
    }
    return;
  }
  if (request.url === SYNC_PATH) response.writeHead(426, { Upgrade: SYNC_UPGRADE, Connection: 'Upgrade, close' });
  else response.writeHead(404, { Connection: 'close' });
  response.end();
}

function refuse({ log }: SyncServerOptions, response: ServerResponse, error: unknown): void {
  log.warn('a certificate was refused', { cause: messageOf(error) });
  response.writeHead(403, { 'Content-Type': 'application/json', Connection: 'close' });
  response.end(JSON.stringify({ error_msg: messageOf(error), reason: 'instance_certificate_refused' }));
}

/** True when the connection is a sync connection now; else it is at its end. */
function upgrade(options: SyncServerOptions, trusted: Trusted, request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
  // A peer that goes away while it is being answered is no failure of ours.
  socket.on('error', () => undefined);
  const refuse = (status: string, reason = ''): false => {
    const told = reason === '' ? '' : `${REASON_HEADER}: ${printable(reason)}\r\n`;
    // Nobody else would end a client that does not hang up.
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${told}Content-Length: 0\r\n\r\n`, () => socket.destroy());
    return false;
  };
  if (request.url !== SYNC_PATH || request.method !== 'GET') {
    return refuse('404 Not Found');
  }
  if (request.headers.upgrade?.toLowerCase() !== SYNC_UPGRADE) {
    return refuse('426 Upgrade Required');
  }
  let instance: VerifiedInstance;
  try {
    instance = verifiedPeer(socket, trusted, timeOf(options, 0));
  } catch (error) {
    options.log.warn('a sync connection was refused', { cause: messageOf(error) });
    return refuse('403 Forbidden', messageOf(error));
  }
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${SYNC_UPGRADE}\r\n\r\n`);
  options.onPeer({ instance, socket, head });
  return true;
}

interface VerifyingTime {
  /** The machine's. */
  readonly wallMs: number;
  /** By which certificates end. */
  readonly nowMs: number;
  readonly graceMs: number;
}

function timeOf({ clock, certificateClock }: SyncServerOptions, graceMs: number): VerifyingTime {
  return { wallMs: clock.nowMs(), nowMs: certificateClock.nowMs(), graceMs };
}

/**
 * The instance at the other end. TLS lets everybody through here, and says what it found: that is heeded first, and then everything that
 * matters is looked at once more.
 *
 * @throws Error unless it has shown a certificate that one of the authorities signed for an instance and that holds, or has ended at most `graceMs` ago
 */
function verifiedPeer(socket: Duplex, trusted: Trusted, time: VerifyingTime): VerifiedInstance {
  if (!(socket instanceof TLSSocket)) throw new Error('no certificate was shown');
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new Error('no certificate was shown');
  // Declared as an Error, and a code in fact.
  const problem = socket.authorized ? undefined : String(socket.authorizationError);
  const instance = verifyInstanceCertificate(certificate, trusted);
  if (problem !== undefined && problem !== EXPIRED && problem !== NOT_YET_VALID)
    throw new Error(`the certificate was not verified: ${problem}`);
  // Where its own has not ended by the machine's clock, by which OpenSSL goes, an authority's has.
  const isAuthorityOver = problem === EXPIRED && time.graceMs === 0 && time.wallMs < instance.expiresAtMs;
  if (isAuthorityOver) throw new Error('the certificate of the authority of this instance has ended');
  if (time.nowMs - instance.expiresAtMs >= time.graceMs) {
    throw new Error(`the certificate of this instance ended on ${new Date(instance.expiresAtMs).toISOString()}`);
  }
  return instance;
}

/** Printable ASCII, bounded: it goes into a head. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON);
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

async function closeServer({ server, newcomers }: SyncServer): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  newcomers.destroyAll();
  server.closeAllConnections();
  await closed;
}
