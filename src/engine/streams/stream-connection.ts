import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { ClientConnection, UpstreamTarget } from '../exchange.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { Tunnel, type TunnelClient } from '../tunnel/tunnel.ts';
import type { UpstreamConnection } from '../upstream/upstream-connection.ts';
import { askOwner } from './ask-owner.ts';
import { type AttemptListener, ConnectAttempt } from './connect-attempt.ts';
import type { StreamContext } from './stream-context.ts';
import type { StreamFacts, StreamOwner, StreamPlan } from './stream-plan.ts';

/**
 * One client's connection on a stream listener: nothing of it is read before an upstream is connected, so that a node which cannot be reached
 * costs the client nothing but time. From then on bytes go both ways with back-pressure, and an end of one side is passed on alone.
 */
export class StreamConnection implements TransportReceiver, TunnelClient, AttemptListener, StreamFacts {
  readonly protocol = 'tcp';
  readonly client: ClientConnection;
  readonly transport: Transport;
  readonly startedAtMs: number;
  target: UpstreamTarget | undefined = undefined;
  attempts = 0;
  bytesFromClient = 0;
  decidedAtMs = 0;
  connectedAtMs = 0;
  firstByteAtMs = 0;
  finishedAtMs = 0;
  reason: ErrorReason | undefined = undefined;
  readonly #context: StreamContext;
  readonly #owner: StreamOwner;
  readonly #onGone: (connection: StreamConnection) => void;
  #bytesToClient = 0;
  #plan: StreamPlan | undefined = undefined;
  #attempt: ConnectAttempt | undefined = undefined;
  #firstFailure: ErrorReason | undefined = undefined;
  #tunnel: Tunnel | undefined = undefined;
  #over = false;

  constructor(
    context: StreamContext,
    client: ClientConnection,
    makeTransport: (receiver: TransportReceiver) => Transport,
    onGone: (connection: StreamConnection) => void,
  ) {
    this.#context = context;
    this.#onGone = onGone;
    this.client = client;
    this.startedAtMs = context.clock.monotonicMs();
    this.transport = makeTransport(this);
    this.transport.pause();
    this.#owner = context.handler.accepted(client, this.protocol);
  }

  get bytesToClient(): number {
    return this.#bytesToClient;
  }

  set bytesToClient(count: number) {
    if (this.firstByteAtMs === 0) this.firstByteAtMs = this.#context.clock.monotonicMs();
    this.#bytesToClient = count;
  }

  /** Asks where the connection goes to. */
  begin(): void {
    askOwner(
      this.#owner,
      (decision) => this.#decided(decision),
      (error) => this.#decisionFailed(error),
    );
  }

  checkDeadlines(nowMs: number): void {
    if (this.#tunnel !== undefined) this.#tunnel.checkDeadlines(nowMs);
    else if (this.#plan !== undefined) this.#attempt?.checkDeadline(nowMs, this.#plan.connectTimeoutMs);
  }

  /** Ends both sides at once. */
  shutDown(reason: ErrorReason): void {
    this.#tunnel?.abort();
    this.#close(reason);
  }

  onConnected(connection: UpstreamConnection): void {
    const plan = this.#plan;
    if (plan === undefined || this.#over) {
      connection.destroy();
      return;
    }
    this.#attempt = undefined;
    this.connectedAtMs = this.#context.clock.monotonicMs();
    this.#owner.reached();
    const { idleTimeoutMs, sendTimeoutMs } = plan;
    this.#tunnel = new Tunnel({ context: this.#context, client: this, connection, exchange: this, idleTimeoutMs, sendTimeoutMs });
    this.#tunnel.begin();
  }

  onFailed(reason: ErrorReason): void {
    this.#firstFailure ??= reason;
    if (ERROR_CODES[reason].retry === 'yes') this.#connect(reason);
    else this.#close(reason);
  }

  tunnelEnded(reason: ErrorReason | undefined): void {
    if (reason === undefined) this.#finish(undefined);
    else this.#close(reason);
  }

  onBytes(bytes: Buffer, length: number): void {
    this.#tunnel?.fromClient(bytes, 0, length);
  }

  onEnd(): void {
    this.#tunnel?.clientEnded();
  }

  onFlushed(): void {
    this.#tunnel?.clientFlushed();
  }

  onClose(failure: string | undefined): void {
    if (this.#tunnel !== undefined) this.#tunnel.clientClosed(failure);
    else this.#close('client_aborted');
  }

  #decided(decision: StreamPlan | ErrorReason): void {
    if (this.#over) return;
    this.decidedAtMs = this.#context.clock.monotonicMs();
    if (typeof decision === 'string') {
      this.#close(decision);
      return;
    }
    this.#plan = decision;
    this.#connect(undefined);
  }

  #decisionFailed(error: unknown): void {
    this.#close('internal');
    this.#context.onFailure(error);
  }

  /** Asks the next node; what is thrown meanwhile ends the stream alone. */
  #connect(previousFailure: ErrorReason | undefined): void {
    try {
      this.#connectNext(previousFailure);
    } catch (error) {
      this.#decisionFailed(error);
    }
  }

  #connectNext(previousFailure: ErrorReason | undefined): void {
    const target = this.#owner.nextTarget(this.attempts, previousFailure);
    if (typeof target === 'string') {
      // Of several failures the first is told: it is the one that made the others necessary.
      this.#close(this.#firstFailure ?? target);
      return;
    }
    this.target = target;
    this.attempts++;
    const attempt = new ConnectAttempt(this, this.#context.clock.monotonicMs());
    this.#attempt = attempt;
    const refusal = attempt.begin(this.#context.pool, target);
    if (refusal !== undefined) this.#close(refusal);
  }

  /** A reset, because an orderly end would look like the whole of what the upstream had to say. */
  #close(reason: ErrorReason): void {
    if (this.#over) return;
    this.#attempt?.abandon();
    this.transport.reset();
    this.#finish(reason);
  }

  #finish(reason: ErrorReason | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.reason = reason;
    this.finishedAtMs = this.#context.clock.monotonicMs();
    this.#onGone(this);
    this.#owner.ended(this);
  }
}
