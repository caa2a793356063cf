import type { ErrorReason } from '../errors/index.ts';
import type { CancelTask, Clock } from '../lib/clock.ts';
import { clientOf } from './connection/client-address.ts';
import { HttpConnection } from './connection/http-connection.ts';
import { type ConnectionAdmission, UNLIMITED } from './connection-admission.ts';
import { EngineContext } from './engine-context.ts';
import { DEFAULT_ENGINE_LIMITS, DEFAULT_ENGINE_TIMEOUTS, type EngineLimits, type EngineTimeouts } from './engine-options.ts';
import type { ClientConnection, ExchangeHandler } from './exchange.ts';
import type { Http2Connection } from './http2/http2-connection.ts';
import type { Http2Side, OpenTransport } from './http2/http2-side.ts';
import { IdleVictims } from './idle-victims.ts';
import type { ProxyTrust } from './proxy-protocol/proxy-preludes.ts';
import { RefusedConnections } from './refused-connections.ts';
import type { ServedConnection } from './served-connection.ts';
import { AcceptedHandshake } from './tls/accepted-handshake.ts';
import type { HandshakeFailure } from './tls/handshake-events.ts';
import { Handshakes } from './tls/handshakes.ts';
import type { TlsChooser } from './tls/server-terms.ts';
import type { AcceptedConnection } from './transport/accepted-connection.ts';
import { ClientListener, type ListenAddress } from './transport/client-listener.ts';
import type { TransportReceiver } from './transport/transport.ts';
import type { TransportKind } from './transport/transport-kind.ts';
import type { UpstreamPool } from './upstream/upstream-pool.ts';

const SWEEP_MS = 500;
const READ_BUFFER_BYTES = 64 * 1024;
const REFUSED_CONNECTIONS = 256;
/** RFC 9113 §3.1 */
const HTTP2 = 'h2';

export interface HttpServerOptions {
  readonly handler: ExchangeHandler;
  readonly pool: UpstreamPool;
  readonly limits?: Partial<EngineLimits>;
  readonly timeouts?: Partial<EngineTimeouts>;
  /** Value of Server in every answer; undefined passes the upstream's through. */
  readonly serverHeader: string | undefined;
  /** `X-APISIX-Upstream-Status` on every answer of an upstream, not only on those with a 5xx; false unless said. */
  readonly showUpstreamStatus?: boolean;
  /** Names of fields that the gateway alone writes into answers: an upstream's are left out. */
  readonly ownResponseFields?: readonly string[];
  readonly clock: Clock;
  /** Asked about each client's connection; without it everybody is let in. */
  readonly admission?: ConnectionAdmission;
  /** Most connections beyond the limit that are kept until their first request is answered with the reason. */
  readonly refusedConnections?: number;
  /** Proxies in front that begin each connection with a PROXY header, where clients speak in clear and where they speak TLS. */
  readonly proxied?: { readonly clear?: ProxyTrust | undefined; readonly encrypted?: ProxyTrust | undefined };
  /** How plain connections of clients are driven, `documented` unless said; see `chooseTransport`. */
  readonly transport?: TransportKind;
  /** Hears of each TLS handshake that came to nothing; the address is canonical. */
  readonly onHandshakeFailed?: (failure: HandshakeFailure, remoteAddress: string) => void;
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
  readonly #proxied: NonNullable<HttpServerOptions['proxied']>;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #connections = new Set<ServedConnection>();
  readonly #admission: ConnectionAdmission;
  readonly #refused: RefusedConnections;
  readonly #victims = new IdleVictims(this.#connections);
  readonly #handshakes: Handshakes;
  readonly #onHandshakeFailed: NonNullable<HttpServerOptions['onHandshakeFailed']>;
  readonly #onGone = (connection: ServedConnection): void => this.#removed(connection);
  #idleWaiters: (() => void)[] = [];
  #cancelSweep: CancelTask | undefined = undefined;
  readonly #http2Cleartext: boolean;
  #http2: Http2Side | undefined = undefined;

  constructor(options: HttpServerOptions) {
    this.#transport = options.transport ?? 'documented';
    this.#proxied = options.proxied ?? {};
    this.#http2Cleartext = options.http2Cleartext ?? false;
    this.#admission = options.admission ?? UNLIMITED;
    this.#refused = new RefusedConnections(options.refusedConnections ?? REFUSED_CONNECTIONS);
    this.#context = new EngineContext({
      handler: options.handler,
      pool: options.pool,
      limits: { ...DEFAULT_ENGINE_LIMITS, ...options.limits },
      timeouts: { ...DEFAULT_ENGINE_TIMEOUTS, ...options.timeouts },
      serverLine: options.serverHeader === undefined ? undefined : Buffer.from(`Server: ${options.serverHeader}\r\n`, 'latin1'),
      showsUpstreamStatus: options.showUpstreamStatus ?? false,
      ownResponseFields: (options.ownResponseFields ?? []).map((name) => Buffer.from(name.toLowerCase(), 'latin1')),
      clock: options.clock,
      onFailure: options.onFailure ?? (() => {}),
    });
    const { limits, timeouts } = this.#context;
    this.#handshakes = new Handshakes(limits.handshakes, timeouts.handshakeMs);
    this.#onHandshakeFailed = options.onHandshakeFailed ?? (() => {});
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Requests whose first byte has arrived and whose answer is not yet with the kernel. */
  get exchangesInFlight(): number {
    return this.#context.exchangesInFlight;
  }

  /** Clients whose TLS handshake is under way; they count as connections, and not yet as open ones. */
  get pendingHandshakes(): number {
    return this.#handshakes.size;
  }

  /** Begins to accept, with `tls` encrypted; may be called for several addresses. Rejects with the system's error where the address cannot be had. */
  async listen(where: ListenAddress, tls?: TlsChooser): Promise<{ readonly port: number }> {
    if (this.#http2Cleartext || tls !== undefined) await this.#loadHttp2();
    const listener = new ClientListener({
      transport: this.#transport,
      tls,
      proxied: tls === undefined ? this.#proxied.clear : this.#proxied.encrypted,
      readBuffer: this.#readBuffer,
      onAccepted: (connection) => this.#accepted(connection),
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
    if (this.#isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every connection at once; requests in flight end with `drain_timeout`. */
  destroyAll(): void {
    this.#handshakes.giveUpAll('drain_timeout');
    for (const connection of this.#connections) connection.shutDown('drain_timeout');
  }

  async #loadHttp2(): Promise<void> {
    // Loaded with the first listener that speaks it.
    const { Http2Side } = await import('./http2/http2-side.ts');
    this.#http2 ??= new Http2Side(this.#context);
  }

  get #isEmpty(): boolean {
    return this.#connections.size === 0 && this.#handshakes.size === 0;
  }

  #accepted(accepted: AcceptedConnection): void {
    const client = clientOf(accepted);
    if (client === undefined) {
      accepted.refuse();
      return;
    }
    this.#cancelSweep ??= this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
    const refusal = this.#admit(client.remoteAddress);
    const { secure } = accepted;
    if (secure === undefined) this.#serve(client, (receiver) => accepted.open(receiver), refusal);
    else this.#secure(secure, client, refusal);
  }

  /** The handshake comes first. */
  #secure(secure: NonNullable<AcceptedConnection['secure']>, client: ClientConnection, refusal: ErrorReason | undefined): void {
    const { remoteAddress } = client;
    const handshake = new AcceptedHandshake(this.#context.clock.monotonicMs());
    handshake.begin(secure, {
      onSecured: (tls, open) => {
        this.#handshakes.delete(handshake);
        this.#serve({ ...client, encrypted: true, tls }, open, refusal);
      },
      onFailed: (failure) => {
        this.#handshakes.delete(handshake);
        if (refusal === undefined) this.#admission.clientGone(remoteAddress);
        this.#onHandshakeFailed(failure, remoteAddress);
        this.#noteEmpty();
      },
    });
    this.#handshakes.add(handshake);
  }

  /** Answers a client's requests. `refusal` is why it is one too many; else it is counted already. */
  #serve(client: ClientConnection, open: OpenTransport, refusal: ErrorReason | undefined): void {
    const http2 = this.#http2;
    let connection: ServedConnection;
    if (http2 !== undefined && client.tls?.alpn === HTTP2) connection = http2.serve(client, open, this.#onGone);
    else if (http2 !== undefined && this.#http2Cleartext && client.tls === undefined) connection = this.#openEither(client, open, http2);
    else connection = new HttpConnection(this.#context, client, open, this.#onGone);
    this.#connections.add(connection);
    if (refusal === undefined) connection.countedAddress = client.remoteAddress;
    else this.#refused.add(connection, refusal);
  }

  /** Speaks HTTP/1 until the client's first bytes are those of HTTP/2. */
  #openEither(client: ClientConnection, open: OpenTransport, http2: Http2Side): HttpConnection {
    const connection: HttpConnection = new HttpConnection(
      this.#context,
      client,
      (receiver) =>
        http2.watch(open, receiver, (transport) =>
          this.#succeed(
            connection,
            http2.serve(client, () => transport, this.#onGone),
          ),
        ),
      this.#onGone,
    );
    return connection;
  }

  /** The connection goes on as another, before anything was asked on it. */
  #succeed(connection: HttpConnection, successor: Http2Connection): TransportReceiver {
    const { countedAddress, refusal } = connection;
    successor.countedAddress = countedAddress;
    connection.countedAddress = undefined;
    this.#connections.add(successor);
    this.#removed(connection);
    if (refusal !== undefined) this.#refused.add(successor, refusal);
    return successor.receiver;
  }

  /** Counts a client, if need be in place of one that is idle; or says why it is refused. */
  #admit(address: string): ErrorReason | undefined {
    let refusal = this.#admission.admitClient(address);
    if (refusal === 'too_many_connections' && this.#closeLongestIdle()) refusal = this.#admission.admitClient(address);
    if (refusal !== undefined) this.#admission.refused(refusal);
    return refusal;
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
    this.#noteEmpty();
  }

  #noteEmpty(): void {
    if (!this.#isEmpty) return;
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
    this.#handshakes.checkDeadlines(nowMs);
    if (!this.#isEmpty) this.#cancelSweep = this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
  }
}
