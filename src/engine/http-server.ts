import type { SecureContextOptions } from 'node:tls';
import type { CancelTask, Clock } from '../lib/clock.ts';
import { clientOf } from './connection/client-address.ts';
import { HttpConnection } from './connection/http-connection.ts';
import { type ConnectionAdmission, UNLIMITED } from './connection-admission.ts';
import { EngineContext } from './engine-context.ts';
import { DEFAULT_ENGINE_LIMITS, DEFAULT_ENGINE_TIMEOUTS, type EngineLimits, type EngineTimeouts } from './engine-options.ts';
import type { ClientConnection, ExchangeHandler } from './exchange.ts';
import type { Http2Side } from './http2/http2-side.ts';
import { IdleVictims } from './idle-victims.ts';
import { RefusedConnections } from './refused-connections.ts';
import type { ServedConnection } from './served-connection.ts';
import type { AcceptedConnection } from './transport/accepted-connection.ts';
import { ClientListener, type ListenAddress } from './transport/client-listener.ts';
import type { Transport, TransportReceiver } from './transport/transport.ts';
import type { TransportKind } from './transport/transport-kind.ts';
import type { UpstreamPool } from './upstream/upstream-pool.ts';

const SWEEP_MS = 500;
const READ_BUFFER_BYTES = 64 * 1024;
const REFUSED_CONNECTIONS = 256;

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
  /** Asked about each client's connection; without it everybody is let in. */
  readonly admission?: ConnectionAdmission;
  /** Most connections beyond the limit that are kept until their first request is answered with the reason. */
  readonly refusedConnections?: number;
  /** How plain connections of clients are driven, `documented` unless said; see `chooseTransport`. */
  readonly transport?: TransportKind;
  /** Clients of plain connections may begin with HTTP/2 without asking (RFC 9113 §3.3); false unless said. */
  readonly http2Cleartext?: boolean;
  /** Hears what the handler or an accepting socket threw; the requests concerned are answered with 500 already. */
  readonly onFailure?: (error: unknown) => void;
}

/** HTTP/1.1 and 1.0 on any number of listeners; every decision about a request is the handler's. */
export class HttpServer {
  readonly #context: EngineContext;
  readonly #listeners: ClientListener[] = [];
  readonly #transport: TransportKind;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #connections = new Set<ServedConnection>();
  readonly #admission: ConnectionAdmission;
  readonly #refused: RefusedConnections;
  readonly #victims = new IdleVictims(this.#connections);
  readonly #onGone = (connection: ServedConnection): void => this.#removed(connection);
  #idleWaiters: (() => void)[] = [];
  #cancelSweep: CancelTask | undefined = undefined;
  readonly #http2Cleartext: boolean;
  #http2: Http2Side | undefined = undefined;

  constructor(options: HttpServerOptions) {
    this.#transport = options.transport ?? 'documented';
    this.#http2Cleartext = options.http2Cleartext ?? false;
    this.#admission = options.admission ?? UNLIMITED;
    this.#refused = new RefusedConnections(options.refusedConnections ?? REFUSED_CONNECTIONS);
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

  /** Begins to accept, with `tls` encrypted; may be called for several addresses. Rejects with the system's error where the address cannot be had. */
  async listen(where: ListenAddress, tls?: SecureContextOptions): Promise<{ readonly port: number }> {
    const http2 = this.#http2Cleartext && tls === undefined ? await this.#loadHttp2() : undefined;
    const listener = new ClientListener({
      transport: this.#transport,
      tls,
      readBuffer: this.#readBuffer,
      onAccepted: (connection) => this.#accepted(connection, http2),
      onFailure: this.#context.onFailure,
    });
    this.#listeners.push(listener);
    return await listener.listen(where);
  }

  /**
   * From now on answers carry `Connection: close`, so that clients go elsewhere by themselves. Connections are still accepted, and
   * idle ones are kept until `beginDrain`: closing them now could meet a request on its way.
   */
  announceDrain(): void {
    this.#context.announcesClose = true;
    for (const connection of this.#connections) connection.announceDrain?.();
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
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  /** Closes up to `count` connections that only wait for a request, those idle longest first. */
  closeIdle(count: number): void {
    for (let closed = 0; closed < count; closed++) if (!this.#closeLongestIdle()) return;
  }

  /** Resolves when no connection is open. */
  whenIdle(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every connection at once; requests in flight end with `drain_timeout`. */
  destroyAll(): void {
    for (const connection of this.#connections) connection.shutDown('drain_timeout');
  }

  async #loadHttp2(): Promise<Http2Side> {
    // Loaded with the first listener that speaks it.
    const { Http2Side } = await import('./http2/http2-side.ts');
    this.#http2 ??= new Http2Side(this.#context);
    return this.#http2;
  }

  #accepted(accepted: AcceptedConnection, http2: Http2Side | undefined): void {
    const client = clientOf(accepted);
    if (client === undefined) {
      accepted.refuse();
      return;
    }
    const connection = http2 === undefined ? this.#open(accepted, client) : this.#openEither(accepted, client, http2);
    this.#connections.add(connection);
    this.#admit(connection, client.remoteAddress);
    this.#cancelSweep ??= this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
  }

  #open(accepted: AcceptedConnection, client: ClientConnection): HttpConnection {
    const makeTransport = (receiver: TransportReceiver): Transport => accepted.open(receiver);
    return new HttpConnection(this.#context, client, makeTransport, this.#onGone);
  }

  /** Speaks HTTP/1 until the client's first bytes are those of HTTP/2. */
  #openEither(accepted: AcceptedConnection, client: ClientConnection, http2: Http2Side): HttpConnection {
    const connection: HttpConnection = new HttpConnection(
      this.#context,
      client,
      (receiver) =>
        http2.watch(accepted, receiver, (socket) => {
          // An exchange has not begun, so there is nothing to end.
          const { countedAddress, refusal } = connection;
          const successor = http2.serve(client, socket, this.#onGone);
          if (refusal !== undefined) successor.refuseFirst(refusal);
          successor.countedAddress = countedAddress;
          connection.countedAddress = undefined;
          this.#connections.add(successor);
          this.#removed(connection);
          if (refusal !== undefined) this.#refused.add(successor, refusal);
        }),
      this.#onGone,
    );
    return connection;
  }

  /** Counts the connection, if need be in place of one that is idle; or has it refused. */
  #admit(connection: ServedConnection, address: string): void {
    let refusal = this.#admission.admitClient(address);
    if (refusal === 'too_many_connections' && this.#closeLongestIdle()) refusal = this.#admission.admitClient(address);
    if (refusal === undefined) {
      connection.countedAddress = address;
      return;
    }
    this.#admission.refused(refusal);
    this.#refused.add(connection, refusal);
  }

  #closeLongestIdle(): boolean {
    const longest = this.#victims.take(this.#context.clock.monotonicMs());
    if (longest === undefined) return false;
    longest.destroy();
    // Its descriptor is free already, only the event comes later.
    this.#uncount(longest);
    return true;
  }

  #uncount(connection: ServedConnection): void {
    const address = connection.countedAddress;
    connection.countedAddress = undefined;
    if (address !== undefined) this.#admission.clientGone(address);
  }

  #removed(connection: ServedConnection): void {
    this.#connections.delete(connection);
    this.#refused.delete(connection);
    this.#uncount(connection);
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
