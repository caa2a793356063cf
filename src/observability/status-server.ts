import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { JsonValue } from '../lib/json.ts';
import type { Listener } from '../lib/listener.ts';
import { type ListeningServers, listenOnAll } from '../lib/listening-servers.ts';
import { createServer } from '../lib/node-http.ts';
import type { Logger } from './logger.ts';

export interface StatusRequest {
  readonly query: URLSearchParams;
}

/** Answered as JSON. */
export interface StatusAnswer {
  readonly status: number;
  readonly body: JsonValue;
}

/** Must answer from what it has at hand: the status never waits. Throwing answers 500. */
export type StatusHandler = (request: StatusRequest) => StatusAnswer | Promise<StatusAnswer>;

export interface StatusServerOptions {
  readonly listeners: readonly Listener[];
  /** By method and path, e.g. `GET /status/ready`. `HEAD` is answered where `GET` is. */
  readonly routes: ReadonlyMap<string, StatusHandler>;
  readonly log: Logger;
}

/** A small HTTP server for probes and scrapers; not yet listening. */
export interface StatusServer {
  /**
   * Gives the port of each listener.
   *
   * @throws the system's error when a listener cannot be used; nothing listens then.
   */
  listen(): Promise<readonly number[]>;
  /** Accepts nothing new; open connections go on. */
  stopAccepting(): void;
  /** Accepts nothing new, cuts what is open. */
  close(): Promise<void>;
}

const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 8192,
};
const MAX_HEADERS = 64;
/** Of one listener. Probes and scrapers are few; whoever takes more is none. */
const MAX_CONNECTIONS = 64;

/** Answers a fixed set of requests as JSON; bodies of requests are never read. */
export function createStatusServer(options: StatusServerOptions): StatusServer {
  const allowedMethods = methodsByPath(options.routes);
  let servers: ListeningServers | undefined;
  return {
    async listen() {
      servers = await listenOnAll({ listeners: options.listeners, createServer: () => createOne(options, allowedMethods) });
      return servers.ports;
    },
    stopAccepting() {
      servers?.stopAccepting();
    },
    async close() {
      const closed = servers?.close();
      servers?.cutConnections();
      await closed;
    },
  };
}

function createOne(options: StatusServerOptions, allowedMethods: ReadonlyMap<string, readonly string[]>): Server {
  const server = createServer(LIMITS, (request, response) => void answer(options, allowedMethods, request, response));
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function answer(
  options: StatusServerOptions,
  allowedMethods: ReadonlyMap<string, readonly string[]>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const handler = options.routes.get(`${method} ${path}`);
  const allowed = allowedMethods.get(path);
  // A body is not read, so the connection cannot be used again.
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
    response.shouldKeepAlive = false;
  if (handler === undefined) {
    if (allowed === undefined) return send(response, { status: 404, body: { error_msg: 'not found' } });
    response.setHeader('Allow', allowed.join(', '));
    return send(response, { status: 405, body: { error_msg: 'method not allowed' } });
  }
  try {
    send(response, await handler({ query: new URLSearchParams(query) }));
  } catch (error) {
    options.log.error('a status request failed', { route: `${method} ${path}` }, error);
    send(response, { status: 500, body: { error_msg: 'internal error' } });
  }
}

function send(response: ServerResponse, answer: StatusAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(`${JSON.stringify(answer.body)}\n`);
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}

function methodsByPath(routes: ReadonlyMap<string, StatusHandler>): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const route of routes.keys()) {
    const [method = '', path = ''] = route.split(' ', 2);
    methods.set(path, [...(methods.get(path) ?? []), method, ...(method === 'GET' ? ['HEAD'] : [])]);
  }
  return methods;
}
