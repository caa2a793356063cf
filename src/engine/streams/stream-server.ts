import type { CancelTask, Clock } from '../../lib/clock.ts';
import { clientOf } from '../connection/client-address.ts';
import { type ConnectionAdmission, UNLIMITED } from '../connection-admission.ts';
import { DEFAULT_ENGINE_LIMITS, DEFAULT_ENGINE_TIMEOUTS, type EngineTimeouts } from '../engine-options.ts';
import type { ClientConnection } from '../exchange.ts';
import type { ProxyTrust } from '../proxy-protocol/proxy-preludes.ts';
import { AcceptedHandshake } from '../tls/accepted-handshake.ts';
import type { HandshakeFailure } from '../tls/handshake-events.ts';
import { Handshakes } from '../tls/handshakes.ts';
import type { TlsChooser } from '../tls/server-terms.ts';
import type { AcceptedConnection } from '../transport/accepted-connection.ts';
import { ClientListener, type ListenAddress } from '../transport/client-listener.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import type { TransportKind } from '../transport/transport-kind.ts';
import type { UpstreamPool } from '../upstream/upstream-pool.ts';
import { OutputBuffer } from '../writer/output-buffer.ts';
import { StreamConnection } from './stream-connection.ts';
import type { StreamContext } from './stream-context.ts';
import type { StreamHandler } from './stream-plan.ts';

const SWEEP_MS = 500;
const READ_BUFFER_BYTES = 64 * 1024;

export interface StreamServerOptions {
  readonly handler: StreamHandler;
  readonly pool: UpstreamPool;
  readonly clock: Clock;
  /** Of the engine's time-outs `clientWriteStallMs` and `handshakeMs` alone hold for streams. */
  readonly timeouts?: Partial<EngineTimeouts>;
  /** Asked about each client's connection; without it everybody is let in. */
  readonly admission?: ConnectionAdmission;
  /** Proxies in front that begin each connection with a PROXY header. */
  readonly proxied?: ProxyTrust | undefined;
  /** How plain connections of clients are driven, `documented` unless said; see `chooseTransport`. */
  readonly transport?: TransportKind;
  /** TLS handshakes that may be under way at once. */
  readonly handshakes?: number | undefined;
  /** Hears of each TLS handshake that came to nothing; the address is canonical. */
  readonly onHandshakeFailed?: (failure: HandshakeFailure, remoteAddress: string) => void;
  /** Hears what the handler or an accepting socket threw. */
  readonly onFailure?: (error: unknown) => void;
}

/** TCP connections on any number of listeners, spliced to upstreams; where each goes to is the handler's decision. */
export class StreamServer {
  readonly #context: StreamContext;
  readonly #listeners: ClientListener[] = [];
  readonly #transport: TransportKind;
  readonly #proxied: ProxyTrust | undefined;
  readonly #admission: ConnectionAdmission;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #connections = new Set<StreamConnection>();
  readonly #handshakes: Handshakes;
  readonly #onHandshakeFailed: NonNullable<StreamServerOptions['onHandshakeFailed']>;
  readonly #onGone = (connection: StreamConnection): void => this.#removed(connection);
  #idleWaiters: (() => void)[] = [];
  #cancelSweep: CancelTask | undefined = undefined;

  constructor(options: StreamServerOptions) {
    const { handler, pool, clock } = options;
    this.#transport = options.transport ?? 'documented';
    this.#proxied = options.proxied;
    this.#admission = options.admission ?? UNLIMITED;
    const timeouts = { ...DEFAULT_ENGINE_TIMEOUTS, ...options.timeouts };
    this.#handshakes = new Handshakes(options.handshakes ?? DEFAULT_ENGINE_LIMITS.handshakes, timeouts.handshakeMs);
    this.#onHandshakeFailed = options.onHandshakeFailed ?? (() => {});
    this.#context = {
      handler,
      pool,
      clock,
      output: new OutputBuffer(),
      timeouts,
      onFailure: options.onFailure ?? (() => {}),
    };
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Begins to accept, with `tls` encrypted; may be called for several addresses. Rejects with the system's error where the address cannot be had. */
  async listen(where: ListenAddress, tls?: TlsChooser): Promise<{ readonly port: number }> {
    const listener = new ClientListener({
      transport: this.#transport,
      tls,
      proxied: this.#proxied,
      readBuffer: this.#readBuffer,
      onAccepted: (connection) => this.#accepted(connection),
      onFailure: this.#context.onFailure,
    });
    this.#listeners.push(listener);
    return await listener.listen(where);
  }

  /** Closes the listeners; open connections go on. */
  stopAccepting(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  /** Resolves when no connection is open. */
  whenIdle(): Promise<void> {
    if (this.#isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every connection at once with `drain_timeout`. */
  destroyAll(): void {
    this.#handshakes.giveUpAll('drain_timeout');
    for (const connection of this.#connections) connection.shutDown('drain_timeout');
  }

  #accepted(accepted: AcceptedConnection): void {
    const client = clientOf(accepted);
    if (client === undefined) {
      accepted.refuse();
      return;
    }
    const refusal = this.#admission.admitClient(client.remoteAddress);
    if (refusal !== undefined) {
      this.#admission.refused(refusal);
      accepted.refuse();
      return;
    }
    this.#cancelSweep ??= this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
    if (accepted.secure === undefined) this.#serve(client, (receiver) => accepted.open(receiver));
    else this.#secure(accepted.secure, client);
  }

  /** The handshake comes first. */
  #secure(secure: NonNullable<AcceptedConnection['secure']>, client: ClientConnection): void {
    const handshake = new AcceptedHandshake(this.#context.clock.monotonicMs());
    handshake.begin(secure, {
      onSecured: (tls, open) => {
        this.#handshakes.delete(handshake);
        this.#serve({ ...client, encrypted: true, tls }, open);
      },
      onFailed: (failure) => {
        this.#handshakes.delete(handshake);
        this.#admission.clientGone(client.remoteAddress);
        this.#onHandshakeFailed(failure, client.remoteAddress);
        this.#noteEmpty();
      },
    });
    this.#handshakes.add(handshake);
  }

  #serve(client: ClientConnection, open: (receiver: TransportReceiver) => Transport): void {
    const connection = new StreamConnection(this.#context, client, open, this.#onGone);
    this.#connections.add(connection);
    connection.begin();
  }

  get #isEmpty(): boolean {
    return this.#connections.size === 0 && this.#handshakes.size === 0;
  }

  #removed(connection: StreamConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#admission.clientGone(connection.client.remoteAddress);
    this.#noteEmpty();
  }

  #noteEmpty(): void {
    if (!this.#isEmpty) return;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
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
