import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { NO_ERROR } from './http2-codes.ts';
import { type ResponseWriter, WRITTEN } from './response-writer.ts';
import type { Http2Stream } from './session/http2-stream.ts';

/** Who owns the stream. */
export interface StreamOwner {
  /** What comes from now on is of another protocol. */
  onSwitched(): void;
  /** The error code with which the stream is broken off. */
  resetCode(): number;
}

/**
 * One stream of HTTP/2 as a connection of HTTP/1.1 that serves one request: what the engine writes goes on as frames. What is written
 * counts as taken when it is in a frame on its way to the kernel.
 *
 * After a close, in whatever way, the receiver hears `onClose` once and nothing else.
 */
export class StreamTransport implements Transport {
  readonly #stream: Http2Stream;
  readonly #receiver: TransportReceiver;
  readonly #writer: ResponseWriter;
  readonly #owner: StreamOwner;
  /** The answer is written whole. */
  #whole = false;
  /** Bytes go both ways as they are. */
  #isTunnel = false;
  #tunnelBytes = 0;
  /** `onFlushed` is owed. */
  #awaitsFlush = false;
  /** What is still to come of the request ends with the answer. */
  #endsUnread = false;
  #readsBody: boolean;

  /** `readsBody`: the request goes on behind its head. */
  constructor(stream: Http2Stream, receiver: TransportReceiver, writer: ResponseWriter, readsBody: boolean, owner: StreamOwner) {
    this.#owner = owner;
    this.#stream = stream;
    this.#receiver = receiver;
    this.#writer = writer;
    this.#readsBody = readsBody;
  }

  /** What the client sends is no body any more. */
  get isTunnel(): boolean {
    return this.#isTunnel;
  }

  /** It is a tunnel, and nothing has come through it for the client. */
  get isSilentTunnel(): boolean {
    return this.#isTunnel && this.#tunnelBytes === 0 && this.#writer.bodyBytes === 0;
  }

  /** Nothing more follows of the answer. */
  get whole(): boolean {
    return this.#whole;
  }

  get pendingBytes(): number {
    return this.#stream.queuedBytes;
  }

  get takenBytes(): number {
    return this.#writer.bodyBytes + this.#tunnelBytes - this.#stream.queuedBytes;
  }

  write(bytes: Buffer): boolean {
    const stream = this.#stream;
    if (stream.closed || this.#whole) return true;
    const kept = this.#isTunnel ? this.#writeTunnel(bytes) : this.#carry(bytes);
    if (kept) this.#awaitsFlush = true;
    return !kept;
  }

  pause(): void {
    if (this.#readsBody) this.#stream.pause();
  }

  resume(): void {
    if (this.#readsBody) this.#stream.resume();
  }

  end(): void {
    if (this.#isTunnel) this.#stream.end();
    else if (!this.#whole) this.reset();
  }

  destroy(): void {
    if (this.#stream.closed) return;
    if (this.#whole) this.#endUnread();
    else this.reset();
  }

  reset(): void {
    this.#stream.reset(this.#owner.resetCode());
  }

  /** What was written is in frames. */
  drained(): void {
    if (this.#endsUnread) this.#endUnread();
    if (!this.#awaitsFlush || this.pendingBytes > 0) return;
    this.#awaitsFlush = false;
    this.#receiver.onFlushed();
  }

  /** True where the stream has kept some of it. */
  #writeTunnel(bytes: Buffer): boolean {
    this.#tunnelBytes += bytes.length;
    return !this.#stream.write(bytes, 0, bytes.length);
  }

  #carry(bytes: Buffer): boolean {
    switch (this.#writer.write(bytes)) {
      case WRITTEN.whole:
        this.#whole = true;
        // RFC 9113 §8.1: what is still to come of the request is wanted no more.
        if (this.#readsBody) this.#endUnread();
        break;
      case WRITTEN.switched:
        this.#isTunnel = true;
        this.#readsBody = true;
        this.#owner.onSwitched();
        break;
      case WRITTEN.failed:
        this.reset();
        break;
      default:
    }
    return this.#writer.kept;
  }

  /** Behind the answer. */
  #endUnread(): void {
    const stream = this.#stream;
    this.#endsUnread = !stream.localEnded;
    if (stream.localEnded && !stream.remoteEnded) stream.reset(NO_ERROR);
  }
}
