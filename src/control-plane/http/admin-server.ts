import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CertificatePair } from '../../distribution/index.ts';
import { StartError } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Listener } from '../../lib/listener.ts';
import type { Logger } from '../../observability/index.ts';
import { type AdminApplicationOptions, createAdminApplication } from './admin-application.ts';
import { answerClientError, type Exchange } from './client-error.ts';
import { limitConnectionsPerAddress } from './connections-per-address.ts';
import { ExpectedContinues } from './expected-continues.ts';
import type { AdminServerLimits } from './limits.ts';
import { PendingHandshakes } from './pending-handshakes.ts';
import { type RequestRateSettings, RequestRates } from './request-rates.ts';
import { SlowReaders } from './slow-readers.ts';

/** What `startAdminServer` needs. */
export interface AdminServerOptions
  extends Pick<
    AdminApplicationOptions,
    'routes' | 'authenticator' | 'answers' | 'isAddressAllowed' | 'isTrustedProxy' | 'onAnswered' | 'random' | 'softwareVersion'
  > {
  readonly listeners: readonly Listener[];
  readonly certificate: CertificatePair;
  readonly limits: AdminServerLimits;
  readonly requestRates: RequestRateSettings;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The Admin API on its sockets. */
export interface AdminServer {
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** New connections get this certificate. */
  useCertificate(pair: CertificatePair): void;
  /** Accepts nothing new, closes idle connections, and waits for running requests, at most `timeoutMs`; then cuts them. */
  drain(timeoutMs: number): Promise<void>;
}

const NO_SUCH_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Serves the Admin API over TLS on all listeners, with bounds on everything a client can send.
 *
 * @throws StartError when an address cannot be listened on
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { limits, listeners } = options;
  const expectedContinues = new ExpectedContinues();
  let draining = false;
  const rates = new RequestRates(options.requestRates, options.clock, options.log);
  const app = createAdminApplication({ ...options, ...limits, rates, expectedContinues, isDraining: () => draining });
  await app.ready();
  const servers: Server[] = [];
  const handshakes: PendingHandshakes[] = [];
  try {
    for (const listener of listeners) {
      const server = makeServer(options, expectedContinues, (request, response) => app.routing(request, response));
      handshakes.push(new PendingHandshakes(server));
      if (!(await listen(server, listener, listeners.length))) continue;
      // E.g. no descriptor is left for a connection: that one is lost, the server stays.
      server.on('error', (error) => options.log.error('the server of the Admin API failed', {}, error));
      servers.push(server);
    }
  } catch (error) {
    await Promise.all(servers.map((server) => closeServer(server)));
    throw error;
  }
  return {
    addresses: servers.map((server) => addressOf(server)),
    useCertificate: (pair) => {
      for (const server of servers) server.setSecureContext(tlsOf(pair));
    },
    drain: async (timeoutMs) => {
      draining = true;
      const cancel = options.clock.schedule(timeoutMs, () => {
        for (const server of servers) server.closeAllConnections();
      });
      const closed = Promise.all(servers.map((server) => closeServer(server)));
      for (const pending of handshakes) pending.destroyAll();
      await closed;
      cancel();
      await app.close();
    },
  };
}

function makeServer(options: AdminServerOptions, expectedContinues: ExpectedContinues, handle: RequestHandler): Server {
  const { limits } = options;
  const server = createServer({
    ...tlsOf(options.certificate),
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.handshakeTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // How exactly the two time-outs above are kept.
    connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
    maxHeaderSize: limits.maxHeaderBytes,
    // The application refuses what Node would refuse here, and says why.
    requireHostHeader: false,
  });
  server.maxConnections = limits.maxConnections;
  server.setTimeout(limits.idleTimeoutMs);
  limitConnectionsPerAddress(server, limits.maxConnectionsPerAddress, options.isTrustedProxy, (address) => {
    options.log.debug('a client of the Admin API has too many connections', { address });
  });
  const last = new WeakMap<Duplex, Exchange>();
  const slowReaders = new SlowReaders(options.clock, limits.readingPace, () => {
    options.log.info('a client of the Admin API read its answer too slowly and was cut off');
  });
  const serve: RequestHandler = (request, response) => {
    slowReaders.watch(response);
    last.set(request.socket, { request, response });
    handle(request, response);
  };
  server.on('request', serve);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    expectedContinues.add(request, response);
    serve(request, response);
  });
  server.on('checkExpectation', serve);
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    options.log.debug('a client of the Admin API sent no proper request', { code: error.code });
    answerClientError(error, socket, last.get(socket), options.softwareVersion);
  });
  return server;
}

function tlsOf(pair: CertificatePair): { readonly cert: string; readonly key: string } {
  return { cert: pair.certificate, key: pair.privateKey };
}

function addressOf(server: Server): { readonly host: string; readonly port: number } {
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port };
}

/** False when the address does not exist on this machine and others do. */
async function listen(server: Server, listener: Listener, listenerCount: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).once('listening', resolve);
  if (listener.kind === 'descriptor') server.listen({ fd: listener.fd });
  else server.listen({ host: listener.host, port: listener.port });
  try {
    await promise;
    return true;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    // A machine without IPv6 is no reason to refuse.
    if (listener.host === '::1' && listenerCount > 1 && NO_SUCH_ADDRESS.has(code)) return false;
    throw new StartError(`The Admin API cannot listen on ${listener.host} port ${listener.port}: ${explain(code)}.`, { cause });
  } finally {
    server.off('error', reject).off('listening', resolve);
  }
}

function explain(code: string): string {
  if (code === 'EADDRINUSE') return 'the port is in use';
  if (code === 'EACCES') return 'this user may not listen there';
  return NO_SUCH_ADDRESS.has(code) ? 'this machine does not have the address' : code;
}

function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  return promise;
}
