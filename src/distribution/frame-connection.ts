import type { Duplex } from 'node:stream';
import type { CancelTask, Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/message-of.ts';
import { encodeFrame, FrameDecoder } from './frame-codec.ts';
import { type ControlPlaneMessage, type GatewayMessage, HEARTBEAT_INTERVAL_MS, SILENCE_LIMIT_MS } from './protocol.ts';

/** What a frame connection needs, and whom it tells. */
export interface FrameConnectionOptions {
  readonly socket: Duplex;
  /** Bytes that arrived together with the answer to the upgrade. */
  readonly head: Buffer;
  readonly maxFrameBytes: number;
  /** How long the peer may be silent as long as `expectHeartbeats` has not been called. */
  readonly silenceLimitMs?: number;
  readonly clock: Clock;
  /** The time that heartbeats tell; the clock's where absent. */
  readonly toldClock?: Pick<Clock, 'nowMs'> | undefined;
  /** Whether heartbeats are to say that the store is away; never where absent. */
  readonly isStoreAway?: (() => boolean) | undefined;
  /** Called for one frame after the other: nothing more is read until the promise resolves. A rejection ends the connection. */
  readonly onFrame: (text: string) => Promise<void>;
  /** Called once, when nothing more will be received or sent. */
  readonly onClosed: (reason: string) => void;
}

const MISSED_HEARTBEATS = 3;
const CONGESTED_BYTES = 1024 * 1024;

/**
 * One end of a sync connection: frames in order, a heartbeat every two seconds, and an end to a peer that has been silent for
 * too long. Time spent inside `onFrame` is not counted as the peer's silence, because its heartbeats wait unread meanwhile.
 */
export class FrameConnection {
  readonly #options: FrameConnectionOptions;
  #cancelTick: CancelTask;
  #lastHeardMs: number;
  #silenceLimitMs: number;
  #handling = false;
  #closeReason: string | undefined;
  #closed = false;
  #isEnding = false;

  constructor(options: FrameConnectionOptions) {
    this.#options = options;
    this.#silenceLimitMs = options.silenceLimitMs ?? SILENCE_LIMIT_MS;
    this.#lastHeardMs = options.clock.monotonicMs();
    // Failures reach `#read`; this listener takes those that come after it has ended, which nobody else would.
    options.socket.on('error', () => undefined);
    this.#cancelTick = options.clock.schedule(HEARTBEAT_INTERVAL_MS, () => this.#tick());
  }

  /** Starts to read. Apart from the constructor, so that the owner knows the connection before its first frame arrives. */
  start(): void {
    const { socket, head } = this.#options;
    if (head.length > 0) socket.unshift(head);
    this.#read().then(
      () => this.#end('the peer closed the connection'),
      (error: unknown) => this.#end(messageOf(error)),
    );
  }

  /** The peer has said how often it sends a heartbeat; undefined when it has not. */
  expectHeartbeats(intervalMs: number | undefined): void {
    const limitMs = intervalMs === undefined ? SILENCE_LIMIT_MS : intervalMs * MISSED_HEARTBEATS;
    this.#silenceLimitMs = Math.min(Math.max(limitMs, HEARTBEAT_INTERVAL_MS * MISSED_HEARTBEATS), SILENCE_LIMIT_MS);
  }

  get isClosed(): boolean {
    return this.#closed || this.#options.socket.destroyed;
  }

  /** The peer has so much left to read that it should be sent no more for now; `drained` tells when it has read it. */
  get isCongested(): boolean {
    const { socket } = this.#options;
    return socket.writableNeedDrain && socket.writableLength > CONGESTED_BYTES;
  }

  /** Queues a message; on a closed connection it does nothing. @throws RangeError when it is too large for a frame */
  send(message: GatewayMessage | ControlPlaneMessage): void {
    this.sendFrame(encodeFrame(message));
  }

  /** Queues a frame that was encoded before, for instance because several peers receive the same one. */
  sendFrame(frame: Buffer): void {
    if (!this.#closed && this.#options.socket.writable) this.#options.socket.write(frame);
  }

  /** Resolves when the peer has room for more, or will never have. */
  drained(): Promise<void> {
    const { socket } = this.#options;
    if (this.isClosed || !socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.on('drain', done);
      socket.on('close', done);
    });
  }

  /** Ends the connection at once; what is still queued is lost. */
  close(reason: string): void {
    this.#closeReason ??= reason;
    this.#options.socket.destroy();
    this.#end(reason);
  }

  /** Sends a last message, then ends; what still arrives is thrown away. */
  closeAfter(message: GatewayMessage | ControlPlaneMessage, reason: string): void {
    this.#closeReason ??= reason;
    this.#isEnding = true;
    this.#options.socket.end(encodeFrame(message));
  }

  async #read(): Promise<void> {
    const decoder = new FrameDecoder(this.#options.maxFrameBytes);
    for await (const chunk of this.#options.socket) {
      this.#handling = true;
      for (const text of decoder.push(chunk)) {
        if (this.isClosed) return;
        if (this.#isEnding) continue;
        await this.#options.onFrame(text);
      }
      this.#handling = false;
      this.#lastHeardMs = this.#options.clock.monotonicMs();
    }
  }

  #tick(): void {
    const silenceMs = this.#options.clock.monotonicMs() - this.#lastHeardMs;
    if (!this.#handling && silenceMs >= this.#silenceLimitMs) {
      this.close('the peer was silent for too long');
      return;
    }
    // A peer that still has something to read needs no sign of life, and one that never reads must not be sent more and more.
    if (!this.#options.socket.writableNeedDrain) this.#sendHeartbeat();
    this.#cancelTick = this.#options.clock.schedule(HEARTBEAT_INTERVAL_MS, () => this.#tick());
  }

  #sendHeartbeat(): void {
    const { toldClock, clock, isStoreAway } = this.#options;
    this.send({ kind: 'heartbeat', nowMs: (toldClock ?? clock).nowMs(), ...(isStoreAway?.() ? { storeAway: true } : {}) });
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTick();
    this.#options.socket.destroy();
    this.#options.onClosed(this.#closeReason ?? reason);
  }
}
