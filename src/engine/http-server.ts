import { createServer, type Server, type Socket } from 'node:net';
import type { CancelTask, Clock } from '../lib/clock.ts';
import { clientOf } from './connection/client-address.ts';
import { HttpConnection } from './connection/http-connection.ts';
import { EngineContext } from './engine-context.ts';
import { DEFAULT_ENGINE_LIMITS, DEFAULT_ENGINE_TIMEOUTS, type EngineLimits, type EngineTimeouts } from './engine-options.ts';
import type { ExchangeHandler } from './exchange.ts';
import { SocketTransport } from './transport/socket-transport.ts';
import type { TransportReceiver } from './transport/transport.ts';
import type { UpstreamPool } from './upstream/upstream-pool.ts';

const SWEEP_MS = 500;

export interface HttpServerOptions {
  readonly handler: ExchangeHandler;
  readonly pool: UpstreamPool;
  readonly limits?: Partial<EngineLimits>;
  readonly timeouts?: Partial<EngineTimeouts>;
  /** Value of Server in every answer; undefined passes the upstream's through. */
  readonly serverHeader: string | undefined;
  /** Names of fields that the gateway alone writes into answers: an upstream's are left out. */
  readonly ownResponseFields?: readonly string[];
  readonly clock: Clock;
  /** Hears what the handler or an accepting socket threw; the requests concerned are answered with 500 already. */
  readonly onFailure?: (error: unknown) => void;
}

/** A descriptor bound before, or an address to bind. `reusePort` lets several threads listen on the same one. */
export type ListenAddress = { readonly fd: number } | { readonly host: string; readonly port: number; readonly reusePort?: boolean };

/** HTTP/1.1 and 1.0 on any number of listeners; every decision about a request is the handler's. */
export class HttpServer {
  readonly #context: EngineContext;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<HttpConnection>();
  readonly #onGone = (connection: HttpConnection): void => this.#removed(connection);
  #idleWaiters: (() => void)[] = [];
  #cancelSweep: CancelTask | undefined = undefined;

  constructor(options: HttpServerOptions) {
    this.#context = new EngineContext({
      handler: options.handler,
      pool: options.pool,
      limits: { ...DEFAULT_ENGINE_LIMITS, ...options.limits },
      timeouts: { ...DEFAULT_ENGINE_TIMEOUTS, ...options.timeouts },
      serverLine: options.serverHeader === undefined ? undefined : Buffer.from(`Server: ${options.serverHeader}\r\n`, 'latin1'),
      ownResponseFields: (options.ownResponseFields ?? []).map((name) => Buffer.from(name.toLowerCase(), 'latin1')),
      clock: options.clock,
      onFailure: options.onFailure ?? (() => {}),
    });
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Requests whose first byte has arrived and whose answer is not yet with the kernel. */
  get exchangesInFlight(): number {
    return this.#context.exchangesInFlight;
  }

  /** Begins to accept; may be called for several addresses. Rejects with the system's error where the address cannot be had. */
  listen(where: ListenAddress): Promise<{ readonly port: number }> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accepted(socket));
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, () => {
        server.off('error', reject);
        server.on('error', this.#context.onFailure);
        const address = server.address();
        resolve({ port: typeof address === 'object' && address !== null ? address.port : 0 });
      });
    });
  }

  /**
   * From now on answers carry `Connection: close`, so that clients go elsewhere by themselves. Connections are still accepted, and
   * idle ones are kept until `beginDrain`: closing them now could meet a request on its way.
   */
  announceDrain(): void {
    this.#context.announcesClose = true;
  }

  /**
   * From now on answers carry `Connection: close`. Kept-alive connections that are idle close after the next turn of the event
   * loop, so that a request which has already arrived is still read; one that has not sent its first request gets a moment to do so.
   */
  beginDrain(): void {
    this.announceDrain();
    this.#context.draining = true;
    const closeIdle = (): void => {
      for (const connection of this.#connections) connection.closeIfIdle();
    };
    // Between two of these the loop has looked at every socket once.
    setImmediate(() => setImmediate(closeIdle));
  }

  /** Closes the listeners; open connections go on. */
  stopAccepting(): void {
    for (const server of this.#servers.splice(0)) server.close();
  }

  /** Resolves when no connection is open. */
  whenIdle(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every connection at once, requests in flight with it. */
  destroyAll(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #accepted(socket: Socket): void {
    const client = clientOf(socket);
    if (client === undefined) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const makeTransport = (receiver: TransportReceiver): SocketTransport => new SocketTransport(socket, receiver, true);
    this.#connections.add(new HttpConnection(this.#context, client, makeTransport, this.#onGone));
    this.#cancelSweep ??= this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
  }

  #removed(connection: HttpConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }

  /** One look at every connection instead of a timer for each. */
  #sweep(): void {
    this.#cancelSweep = undefined;
    const nowMs = this.#context.clock.monotonicMs();
    for (const connection of this.#connections) connection.checkDeadlines(nowMs);
    if (this.#connections.size > 0) this.#cancelSweep = this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
  }
}
