import type { ErrorReason } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EngineTimeouts } from '../engine-options.ts';
import type { Transport } from '../transport/transport.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream/upstream-connection.ts';
import type { OutputBuffer } from '../writer/output-buffer.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** The client's side of a tunnel. */
export interface TunnelClient {
  readonly transport: Transport;
  /** The tunnel is over. `reason` says why it was cut short; undefined when both sides have ended in order and nothing is on its way. */
  tunnelEnded(reason: ErrorReason | undefined): void;
}

/** What all tunnels of a server share. */
export interface TunnelContext {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly output: OutputBuffer;
  readonly timeouts: Pick<EngineTimeouts, 'clientWriteStallMs'>;
}

/** Where a tunnel counts what went through it. */
export interface TunnelCounts {
  bytesFromClient: number;
  bytesToClient: number;
}

/** What a tunnel is made from. */
export interface TunnelParts {
  readonly context: TunnelContext;
  readonly client: TunnelClient;
  readonly connection: UpstreamConnection;
  readonly exchange: TunnelCounts;
  /** Longest time without a byte either way. */
  readonly idleTimeoutMs: number;
  /** Longest time in which the upstream takes nothing of what was written to it. */
  readonly sendTimeoutMs: number;
}

/**
 * Two connections joined, as after a 101 (RFC 9110 §15.2.2): bytes go both ways as they come, with back-pressure. An end of one side is
 * passed on as an end of that direction alone; a failure of one side resets the other.
 */
export class Tunnel implements UpstreamOwner {
  readonly #parts: TunnelParts;
  #clientEnded = false;
  #upstreamEnded = false;
  #clientClosed = false;
  #upstreamClosed = false;
  #over = false;
  #activeAtMs: number;
  /** Monotonic time since which a side has not taken what was written to it. */
  #clientStalledSinceMs = NEVER;
  #upstreamStalledSinceMs = NEVER;

  constructor(parts: TunnelParts) {
    this.#parts = parts;
    this.#activeAtMs = this.#now();
    parts.connection.owner = this;
  }

  /** Begins to read both sides, as far as the other takes what came before. */
  begin(): void {
    const { client, connection } = this.#parts;
    if (this.#over) return;
    if (connection.transport.pendingBytes === 0) client.transport.resume();
    this.#heedClient();
  }

  /** `bytes[start, end)` came from the client. */
  fromClient(bytes: Buffer, start: number, end: number): void {
    const { client, connection, exchange } = this.#parts;
    if (this.#over) return;
    exchange.bytesFromClient += this.#carry(connection.transport, bytes, start, end);
    if (connection.transport.pendingBytes === 0) return;
    if (this.#upstreamStalledSinceMs === NEVER) this.#upstreamStalledSinceMs = this.#activeAtMs;
    client.transport.pause();
  }

  /** The client sends nothing more. */
  clientEnded(): void {
    if (this.#over || this.#clientEnded) return;
    this.#clientEnded = true;
    this.#parts.connection.transport.end();
  }

  /** The client has taken everything written to it. */
  clientFlushed(): void {
    this.#clientStalledSinceMs = NEVER;
    this.#activeAtMs = this.#now();
    if (!this.#over) this.#parts.connection.transport.resume();
  }

  /** The client's connection is gone; `failure` as in `TransportReceiver.onClose`. */
  clientClosed(failure: string | undefined): void {
    this.#clientClosed = true;
    if (failure !== undefined || !this.#clientEnded || !this.#upstreamEnded) this.#cut('client_aborted');
    else this.#endIfClosed();
  }

  /** Ends both directions at once, without a word to the client's side. */
  abort(): void {
    if (this.#over) return;
    this.#over = true;
    const { connection } = this.#parts;
    connection.transport.reset();
    connection.destroy();
  }

  checkDeadlines(nowMs: number): void {
    const { context, idleTimeoutMs, sendTimeoutMs } = this.#parts;
    if (nowMs - this.#clientStalledSinceMs >= context.timeouts.clientWriteStallMs) this.#cut('client_write_timeout');
    else if (nowMs - this.#upstreamStalledSinceMs >= sendTimeoutMs) this.#cut('upstream_send_timeout');
    else if (nowMs - this.#activeAtMs >= idleTimeoutMs) this.#cut('tunnel_idle');
  }

  onConnected(): void {}

  onBytes(bytes: Buffer, length: number): void {
    if (this.#over) return;
    const { client, exchange } = this.#parts;
    exchange.bytesToClient += this.#carry(client.transport, bytes, 0, length);
    this.#heedClient();
  }

  onEnd(): void {
    if (this.#over || this.#upstreamEnded) return;
    this.#upstreamEnded = true;
    this.#parts.client.transport.end();
  }

  onFlushed(): void {
    this.#upstreamStalledSinceMs = NEVER;
    this.#activeAtMs = this.#now();
    if (!this.#over) this.#parts.client.transport.resume();
  }

  onClose(failure: string | undefined): void {
    this.#upstreamClosed = true;
    if (failure !== undefined || !this.#clientEnded || !this.#upstreamEnded) this.#cut('upstream_truncated');
    else this.#endIfClosed();
  }

  /** The read buffers are used again at once, so what the kernel does not take has to lie elsewhere. */
  #carry(transport: Transport, bytes: Buffer, start: number, end: number): number {
    const output = this.#parts.context.output;
    output.begin(end - start);
    output.append(bytes, start, end);
    this.#activeAtMs = this.#now();
    return output.send(transport);
  }

  #heedClient(): void {
    const { client, connection } = this.#parts;
    if (client.transport.pendingBytes === 0) return;
    if (this.#clientStalledSinceMs === NEVER) this.#clientStalledSinceMs = this.#activeAtMs;
    connection.transport.pause();
  }

  #endIfClosed(): void {
    if (this.#over || !this.#clientClosed || !this.#upstreamClosed) return;
    this.#over = true;
    this.#parts.client.tunnelEnded(undefined);
  }

  #cut(reason: ErrorReason): void {
    if (this.#over) return;
    this.abort();
    this.#parts.client.tunnelEnded(reason);
  }

  #now(): number {
    return this.#parts.context.clock.monotonicMs();
  }
}
