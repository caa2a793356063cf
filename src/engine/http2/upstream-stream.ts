import { BodyReader } from '../parser/body-reader.ts';
import { BODY, type ChunkedLimits } from '../parser/chunked-parser.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { CHUNK_FRAME_BYTES, writeChunk, writeLastChunk } from './chunk-bytes.ts';
import { CANCEL } from './http2-codes.ts';
import { requestTrailers } from './request-trailers.ts';
import type { Http2Stream, StreamReceiver } from './session/http2-stream.ts';
import { streamReset } from './stream-reset.ts';
import { type AnswerBody, fieldLines, interimAnswer, statusOf, upstreamAnswer } from './upstream-answer.ts';
import { type UpstreamHead, upstreamHead } from './upstream-head.ts';
import { isRefused, type SessionWaiter, type UpstreamSession } from './upstream-session.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

/** What is kept of a request for the case that the upstream has not begun it; a longer one is sent once. */
const KEPT_BYTES = 64 * 1024;
/** What a piece takes besides its bytes: a client may send its body byte by byte. */
const PIECE_OVERHEAD_BYTES = 128;
const MOST_ATTEMPTS = 3;
/** How often a request looks for another connection because the one it has waited for takes too few. */
const MOST_CROWDED = 3;
/** The engine has written it, within limits of its own. */
const OWN_FRAMING: ChunkedLimits = { chunkExtensionBytes: 0, trailerBytes: 1024 * 1024 };
const HEAD_END = '\r\n\r\n';

/** What streams to an upstream need. */
export interface UpstreamStreamOptions {
  readonly sessions: UpstreamSessions;
  readonly scheme: 'http' | 'https';
  /** Where the next bytes for the receiver are to lie; at least 16 KiB. */
  readonly nextReadBuffer: () => Buffer;
}

/**
 * One request on an HTTP/2 connection to an upstream, as a connection of HTTP/1.1 that serves one request. A request that the upstream
 * has certainly not begun (RFC 9113 §8.7: REFUSED_STREAM, or behind the last one of a GOAWAY) is sent again by itself.
 */
export class UpstreamStream implements Transport, SessionWaiter, StreamReceiver {
  readonly #options: UpstreamStreamOptions;
  readonly #receiver: TransportReceiver;
  readonly #onConnected: () => void;
  readonly #body: BodyReader;
  #session: UpstreamSession | undefined;
  #stream: Http2Stream | undefined = undefined;
  #head: UpstreamHead | undefined = undefined;
  /** Pieces of the body sent; undefined when there are too many to send them again. */
  #kept: Buffer[] | undefined = [];
  /** With what each piece takes. */
  #keptBytes = 0;
  #bodyEnded = false;
  /** Trailer fields of the request, name and value in turn. */
  #trailers: readonly string[] = [];
  #connected = false;
  #attempts = 0;
  #crowded = 0;
  /** What the session had heard when the request was sent. */
  #heardBefore = 0;
  #sentBytes = 0;
  #answer: AnswerBody | undefined = undefined;
  /** A part of an answer has come, if only an interim one: the request was begun. */
  #begun = false;
  /** Bytes that the body of the answer is still to have, where its length was told. */
  #unread = 0;
  /** The answer has come whole. */
  #whole = false;
  #paused = false;
  #gone = false;

  /** `onConnected` may be called before this returns. */
  constructor(options: UpstreamStreamOptions, receiver: TransportReceiver, onConnected: () => void) {
    this.#options = options;
    this.#receiver = receiver;
    this.#onConnected = onConnected;
    this.#body = new BodyReader(OWN_FRAMING);
    this.#session = options.sessions.take();
    this.#begin(this.#session);
  }

  get pendingBytes(): number {
    const stream = this.#stream;
    // Between two attempts all of it waits here.
    if (stream === undefined) return this.#keptBytes > KEPT_BYTES ? this.#keptBytes : 0;
    return stream.queuedBytes;
  }

  get takenBytes(): number {
    return this.#sentBytes - (this.#stream?.queuedBytes ?? 0);
  }

  onReady(): void {
    if (this.#gone) return;
    if (this.#connected) {
      this.#open();
      return;
    }
    this.#connected = true;
    this.#onConnected();
  }

  /** It was not begun, so nothing is repeated. */
  onCrowded(): void {
    if (this.#gone) return;
    if (++this.#crowded <= MOST_CROWDED) this.#again();
    else this.#over('upstream_refused_stream');
  }

  onFailed(failure: string): void {
    this.#over(failure);
  }

  write(bytes: Buffer): boolean {
    if (this.#gone) return true;
    let position = 0;
    if (this.#head === undefined) {
      const end = bytes.indexOf(HEAD_END, 0, 'latin1');
      if (end === -1) {
        this.#over('EPROTO');
        return true;
      }
      position = end + HEAD_END.length;
      this.#head = upstreamHead(bytes.toString('latin1', 0, end), this.#options.scheme);
      this.#body.begin(this.#head.body, this.#head.contentLength);
      this.#bodyEnded = this.#body.done;
      this.#open();
    }
    this.#sendBody(bytes, position);
    return true;
  }

  pause(): void {
    this.#paused = true;
    this.#stream?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stream?.resume();
  }

  end(): void {
    this.destroy();
  }

  reset(): void {
    this.destroy();
  }

  destroy(): void {
    // Like a connection of HTTP/1.1 that is given up: one that has said nothing since may be dead, and is not waited for again.
    if (!this.#gone && this.#stream !== undefined && this.#session?.heard === this.#heardBefore) this.#session.retire();
    this.#over(undefined);
  }

  #begin(session: UpstreamSession): void {
    if (session.ready) this.onReady();
    else session.wait(this);
  }

  /** Sends the request, or what there is of it, now or again. */
  #open(): void {
    const head = this.#head;
    const session = this.#session;
    if (head === undefined || session === undefined) return;
    this.#attempts++;
    if (session.gone) {
      // Since it was taken; nothing was sent.
      if (this.#attempts < MOST_ATTEMPTS) this.#again();
      else this.#over('ECONNRESET');
      return;
    }
    this.#heardBefore = session.heard;
    const stream = session.request(head.fields, this.#bodyEnded && (this.#kept?.length ?? 0) === 0 && this.#trailers.length === 0, this);
    if (stream === undefined) {
      this.#over('ECONNRESET');
      return;
    }
    this.#stream = stream;
    if (this.#paused) stream.pause();
    for (const piece of this.#kept ?? []) stream.write(piece, 0, piece.length);
    this.#forgetMuch();
    if (this.#bodyEnded) stream.end(this.#trailers);
  }

  #sendBody(bytes: Buffer, start: number): void {
    const body = this.#body;
    let position = start;
    while (!this.#bodyEnded && !this.#gone) {
      const event = body.next(bytes, position, bytes.length);
      position = body.position;
      if (event === BODY.more) return;
      if (event === BODY.failed) {
        this.#over('EPROTO');
        return;
      }
      if (event === BODY.data) this.#send(Buffer.from(bytes.subarray(body.dataStart, body.dataEnd)));
      if (!body.done) continue;
      this.#bodyEnded = true;
      this.#trailers = requestTrailers(body.chunked);
      this.#stream?.end(this.#trailers);
    }
  }

  #send(piece: Buffer): void {
    this.#sentBytes += piece.length;
    this.#keptBytes += piece.length + PIECE_OVERHEAD_BYTES;
    this.#kept?.push(piece);
    this.#stream?.write(piece, 0, piece.length);
    this.#forgetMuch();
  }

  /** What no stream has yet got is kept whatever it is. */
  #forgetMuch(): void {
    if (this.#stream !== undefined && this.#keptBytes > KEPT_BYTES) this.#kept = undefined;
  }

  onHead(fields: readonly string[], endsHere: boolean): void {
    this.#hear();
    if (this.#gone) return;
    const status = statusOf(fields);
    // RFC 9113 §8.6: no answer of HTTP/2 changes the protocol.
    if (status === undefined || status === 101) this.#over('EPROTO');
    else if (status < 200) this.#takeInterim(status, fields.slice(2));
    else this.#takeHead(status, fields.slice(2), endsHere);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#hear();
    if (this.#gone || this.#whole) return;
    if (this.#answer === 'length') {
      this.#unread -= end - start;
      if (this.#unread < 0) {
        this.#over('EPROTO');
        return;
      }
    }
    this.#giveData(bytes, start, end);
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#gone || this.#whole || this.#answer === undefined) return;
    this.#whole = true;
    if (this.#answer !== 'chunked') return;
    const lines = fieldLines(trailers);
    if (lines === undefined) {
      this.#whole = false;
      this.#over('EPROTO');
      return;
    }
    const room = this.#options.nextReadBuffer();
    this.#receiver.onBytes(room, writeLastChunk(room, lines));
  }

  onDrained(): void {
    if (!this.#gone) this.#receiver.onFlushed();
  }

  onClosed(): void {
    const stream = this.#stream;
    if (this.#gone || stream === undefined) return;
    const unprocessed = !this.#begun && isRefused(stream);
    if (unprocessed && this.#kept !== undefined && this.#attempts < MOST_ATTEMPTS) this.#again();
    else this.#over(this.#whole ? undefined : this.#failureOf(stream));
  }

  #hear(): void {
    if (this.#session !== undefined) this.#session.heard++;
  }

  #takeInterim(status: number, fields: readonly string[]): void {
    this.#begun = true;
    this.#kept = undefined;
    // The gateway has told its client itself to go on.
    if (status === 100) return;
    const text = interimAnswer(status, fields);
    if (text === undefined) this.#over('EPROTO');
    else this.#giveText(text);
  }

  #takeHead(status: number, fields: readonly string[], endsHere: boolean): void {
    this.#begun = true;
    this.#kept = undefined;
    const answer = upstreamAnswer({ status, fields, endsHere, isHead: this.#head?.isHead === true });
    if (answer === undefined) {
      this.#over('EPROTO');
      return;
    }
    this.#answer = answer.body;
    this.#unread = answer.contentLength;
    this.#whole = answer.body === 'none' || this.#head?.isHead === true;
    this.#giveText(answer.head);
  }

  #giveData(bytes: Buffer, start: number, end: number): void {
    for (let position = start; position < end && !this.#gone; ) {
      const room = this.#options.nextReadBuffer();
      const next = Math.min(end, position + room.length - CHUNK_FRAME_BYTES);
      if (this.#answer === 'chunked') this.#receiver.onBytes(room, writeChunk(room, bytes.subarray(position, next)));
      else this.#receiver.onBytes(room, bytes.copy(room, 0, position, next));
      position = next;
    }
  }

  /** Heads are longer than a read at most by what is theirs; they are given in as many pieces as it takes. */
  #giveText(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    for (let start = 0; start < bytes.length && !this.#gone; ) {
      const room = this.#options.nextReadBuffer();
      const length = bytes.copy(room, 0, start);
      start += length;
      this.#receiver.onBytes(room, length);
    }
  }

  #failureOf(stream: Http2Stream): string {
    // What came broke the rules.
    if (stream.endedBy === 'own') return 'upstream_reset';
    return stream.endedBy === 'connection' ? 'ECONNRESET' : streamReset(stream.code, this.#begun || !isRefused(stream));
  }

  #again(): void {
    this.#stream = undefined;
    this.#release();
    this.#session = this.#options.sessions.take();
    this.#begin(this.#session);
  }

  #release(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    session.stopWaiting(this);
    this.#options.sessions.giveBack(session);
  }

  /** The end, whoever has wished it. The receiver hears of it in a turn of its own, as of a socket's. */
  #over(failure: string | undefined): void {
    if (this.#gone) return;
    this.#gone = true;
    const stream = this.#stream;
    if (stream?.closed === false) this.#session?.gaveUp();
    stream?.reset(CANCEL);
    this.#release();
    process.nextTick(() => this.#receiver.onClose(failure));
  }
}
