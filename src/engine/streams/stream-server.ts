import type { CancelTask, Clock } from '../../lib/clock.ts';
import { clientOf } from '../connection/client-address.ts';
import { type ConnectionAdmission, UNLIMITED } from '../connection-admission.ts';
import { DEFAULT_ENGINE_TIMEOUTS, type EngineTimeouts } from '../engine-options.ts';
import type { ProxyTrust } from '../proxy-protocol/proxy-preludes.ts';
import type { AcceptedConnection } from '../transport/accepted-connection.ts';
import { ClientListener, type ListenAddress } from '../transport/client-listener.ts';
import type { TransportReceiver } from '../transport/transport.ts';
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
  /** Of the engine's time-outs `clientWriteStallMs` alone holds for streams. */
  readonly timeouts?: Partial<EngineTimeouts>;
  /** Asked about each client's connection; without it everybody is let in. */
  readonly admission?: ConnectionAdmission;
  /** Proxies in front that begin each connection with a PROXY header. */
  readonly proxied?: ProxyTrust | undefined;
  /** How plain connections of clients are driven, `documented` unless said; see `chooseTransport`. */
  readonly transport?: TransportKind;
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
  readonly #onGone = (connection: StreamConnection): void => this.#removed(connection);
  #idleWaiters: (() => void)[] = [];
  #cancelSweep: CancelTask | undefined = undefined;

  constructor(options: StreamServerOptions) {
    const { handler, pool, clock } = options;
    this.#transport = options.transport ?? 'documented';
    this.#proxied = options.proxied;
    this.#admission = options.admission ?? UNLIMITED;
    this.#context = {
      handler,
      pool,
      clock,
      output: new OutputBuffer(),
      timeouts: { ...DEFAULT_ENGINE_TIMEOUTS, ...options.timeouts },
      onFailure: options.onFailure ?? (() => {}),
    };
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Begins to accept; may be called for several addresses. Rejects with the system's error where the address cannot be had. */
  async listen(where: ListenAddress): Promise<{ readonly port: number }> {
    const listener = new ClientListener({
      transport: this.#transport,
      tls: undefined,
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
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every connection at once with `drain_timeout`. */
  destroyAll(): void {
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
    const connection = new StreamConnection(this.#context, client, (receiver: TransportReceiver) => accepted.open(receiver), this.#onGone);
    this.#connections.add(connection);
    this.#cancelSweep ??= this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
    connection.begin();
  }

  #removed(connection: StreamConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#admission.clientGone(connection.client.remoteAddress);
    if (this.#connections.size > 0) return;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** One look at every connection instead of a timer for each. */
  #sweep(): void {
    this.#cancelSweep = undefined;
    const nowMs = this.#context.clock.monotonicMs();
    for (const connection of this.#connections) connection.checkDeadlines(nowMs);
    if (this.#connections.size > 0) this.#cancelSweep = this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
  }
}
