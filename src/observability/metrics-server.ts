import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import type { Listener } from '../lib/listener.ts';
import { type ListeningServers, listenOnAll } from '../lib/listening-servers.ts';
import { createServer } from '../lib/node-http.ts';

import { EXPOSITION_TYPE } from './exposition-text.ts';
import type { Logger } from './logger.ts';
import type { MetricsText } from './metrics-page.ts';

/** What a metrics server is made of. */
export interface MetricsServerOptions {
  readonly path: string;
  readonly listeners: readonly Listener[];
  readonly read: () => Promise<MetricsText>;
  readonly clock: Clock;
  readonly log: Logger;
}

const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 8192,
};
const MAX_HEADERS = 64;
/** Of one listener. Scrapers are few. */
const MAX_CONNECTIONS = 64;
/** Each may hold a text of its own in memory, some 40 MB at most. */
const MAX_ANSWERS = 4;
/** What a scraper waits for an answer unless told otherwise (Prometheus, `scrape_timeout`). */
const ANSWER_MS = 10_000;

/** A small HTTP server that gives the text of all metrics to those who scrape it. Everything else is 404, as APISIX's export server says. */
export class MetricsServer {
  readonly #options: MetricsServerOptions;
  #servers: ListeningServers | undefined;
  #answers = 0;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
  }

  /** Gives the port of each listener. @throws the system's error when one cannot be used; nothing listens then */
  async listen(): Promise<readonly number[]> {
    this.#servers = await listenOnAll({ listeners: this.#options.listeners, createServer: () => this.#createOne() });
    return this.#servers.ports;
  }

  /** Accepts nothing new; open connections go on. */
  stopAccepting(): void {
    this.#servers?.stopAccepting();
  }

  /** Accepts nothing new, cuts what is open. */
  async close(): Promise<void> {
    const closed = this.#servers?.close();
    this.#servers?.cutConnections();
    await closed;
  }

  #createOne(): Server {
    const server = createServer(LIMITS, (request, response) => void this.#answer(request, response));
    server.maxHeadersCount = MAX_HEADERS;
    server.maxConnections = MAX_CONNECTIONS;
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    // A body is not read, so the connection cannot be used again.
    if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
      response.shouldKeepAlive = false;
    const [path] = (request.url ?? '').split('?', 1);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (path !== this.#options.path || !isRead) return sendJson(response, 404, { error_msg: 'not found' });
    if (this.#answers >= MAX_ANSWERS) {
      response.setHeader('Retry-After', '1');
      return sendJson(response, 503, { message: 'too many scrapes at once' });
    }
    this.#answers++;
    const giveUp = this.#options.clock.schedule(ANSWER_MS, () => response.destroy());
    try {
      await send(response, await this.#options.read(), request.method === 'HEAD');
    } catch (error) {
      this.#options.log.error('the metrics could not be written', {}, error);
      sendJson(response, 500, { message: 'An unexpected error occurred' });
    } finally {
      giveUp();
      this.#answers--;
    }
  }
}

/** Resolves when all is written, or the scraper is gone. */
async function send(response: ServerResponse, { pieces, byteLength }: MetricsText, headOnly: boolean): Promise<void> {
  if (response.destroyed) return;
  const closed = eventOf(response, 'close');
  response.writeHead(200, { 'Content-Type': EXPOSITION_TYPE, 'Content-Length': byteLength, 'Cache-Control': 'no-store' });
  if (headOnly) {
    response.end();
    return;
  }
  for (const piece of pieces) {
    if (!response.write(piece)) await Promise.race([eventOf(response, 'drain'), closed]);
    if (response.destroyed) return;
  }
  response.end();
  await closed;
}

function eventOf(response: ServerResponse, name: 'close' | 'drain'): Promise<void> {
  return new Promise((resolve) => response.once(name, () => resolve()));
}

function sendJson(response: ServerResponse, status: number, body: Readonly<Record<string, string>>): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length, 'Cache-Control': 'no-store' });
  response.end(bytes);
}
