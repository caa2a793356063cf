import type { ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { CANCEL } from './http2-codes.ts';
import { type ResponseWriter, WRITTEN } from './response-writer.ts';

const { NGHTTP2_NO_ERROR } = constants;

/** Who owns the stream. */
export interface StreamOwner {
  /** What comes from now on is of another protocol. */
  onSwitched(): void;
  /** The error code with which the stream is broken off. */
  resetCode(): number;
}

/**
 * One stream of HTTP/2 as a connection of HTTP/1.1 that serves one request: what the engine writes goes on as frames. What is written
 * counts as taken while little of it waits; of a whole answer everything has to be with the kernel.
 *
 * After a close, in whatever way, the receiver hears `onClose` once and nothing else.
 */
export class StreamTransport implements Transport {
  readonly #stream: ServerHttp2Stream;
  readonly #receiver: TransportReceiver;
  readonly #writer: ResponseWriter;
  /** The answer is written whole. */
  #whole = false;
  /** Bytes go both ways as they are. */
  #isTunnel = false;
  #tunnelBytes = 0;
  /** `onFlushed` is owed. */
  #awaitsFlush = false;
  #readsBody: boolean;
  readonly #owner: StreamOwner;

  /** `readsBody`: the request goes on behind its head. */
  constructor(stream: ServerHttp2Stream, receiver: TransportReceiver, writer: ResponseWriter, readsBody: boolean, owner: StreamOwner) {
    this.#owner = owner;
    this.#stream = stream;
    this.#receiver = receiver;
    this.#writer = writer;
    this.#readsBody = readsBody;
    stream.on('drain', () => this.#flushed());
    stream.on('finish', () => this.#flushed());
    stream.on('wantTrailers', () => this.#sendTrailers());
  }

  /** What the client sends is no body any more. */
  get isTunnel(): boolean {
    return this.#isTunnel;
  }

  /** Nothing more follows of the answer. */
  get whole(): boolean {
    return this.#whole;
  }

  get pendingBytes(): number {
    const stream = this.#stream;
    if (stream.destroyed) return 0;
    if (this.#whole) return this.#writer.headOnly || stream.writableFinished ? 0 : Math.max(1, stream.writableLength);
    return stream.writableNeedDrain ? stream.writableLength : 0;
  }

  get takenBytes(): number {
    return this.#writer.bodyBytes + this.#tunnelBytes - this.#stream.writableLength;
  }

  write(bytes: Buffer): boolean {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || this.#whole) return true;
    const copies = stream.writableLength + bytes.length < stream.writableHighWaterMark;
    if (this.#isTunnel) {
      this.#tunnelBytes += bytes.length;
      stream.write(copies ? Buffer.from(bytes) : bytes);
    } else {
      this.#carry(bytes, copies);
    }
    this.#awaitsFlush = this.pendingBytes > 0;
    return copies;
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
    const stream = this.#stream;
    if (stream.closed || stream.destroyed) return;
    if (!this.#whole) this.reset();
    else if (!stream.readableEnded) this.#endUnread();
  }

  reset(): void {
    this.#close(this.#owner.resetCode());
  }

  /** The stream has closed: an answer that is whole and was not cut off has arrived as far as anybody can tell. */
  closed(): void {
    // Where the last frame closes the stream, Node ends it without a 'finish'.
    if (!this.#whole || !this.#awaitsFlush || this.#stream.rstCode !== NGHTTP2_NO_ERROR) return;
    this.#awaitsFlush = false;
    this.#receiver.onFlushed();
  }

  #carry(bytes: Buffer, copies: boolean): void {
    let outcome: number;
    try {
      outcome = this.#writer.write(bytes, copies);
    } catch {
      // A field that HTTP/2 knows no way to write.
      outcome = WRITTEN.failed;
    }
    switch (outcome) {
      case WRITTEN.whole:
        this.#end();
        return;
      case WRITTEN.switched:
        this.#isTunnel = true;
        this.#readsBody = true;
        this.#owner.onSwitched();
        return;
      case WRITTEN.failed:
        this.reset();
        return;
      default:
    }
  }

  #end(): void {
    this.#whole = true;
    const stream = this.#stream;
    if (!stream.writableEnded) stream.end();
    // RFC 9113 §8.1: what is still to come of the request is wanted no more.
    if (this.#readsBody && !stream.readableEnded && !this.#writer.waitsForTrailers) this.#endUnread();
  }

  /** Behind the answer: Node would wait for its end as well, but a stream that is closing could not be reset meanwhile. */
  #endUnread(): void {
    const stream = this.#stream;
    if (stream.writableFinished) this.#close(NGHTTP2_NO_ERROR);
    else stream.once('finish', () => this.#close(NGHTTP2_NO_ERROR));
  }

  #close(code: number): void {
    const stream = this.#stream;
    if (stream.closed) return;
    // Inside of a callback of its session Node puts CANCEL off to the end of it, destroys the stream at once, and aborts the process when the body
    // of that ends meanwhile and trailer fields were to follow (26.10).
    if (code === CANCEL) setImmediate(() => stream.close(code));
    else stream.close(code);
  }

  #sendTrailers(): void {
    const stream = this.#stream;
    try {
      stream.sendTrailers(this.#writer.trailers);
    } catch {
      this.reset();
      return;
    }
    // Node sends them with the next turn.
    if (this.#readsBody) setImmediate(() => setImmediate(() => this.destroy()));
  }

  #flushed(): void {
    if (!this.#awaitsFlush || this.pendingBytes > 0) return;
    this.#awaitsFlush = false;
    this.#receiver.onFlushed();
  }
}
