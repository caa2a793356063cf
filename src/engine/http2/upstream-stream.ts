import type { ClientHttp2Stream } from 'node:http2';
import { BodyReader } from '../parser/body-reader.ts';
import { BODY, type ChunkedLimits } from '../parser/chunked-parser.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { CHUNK_FRAME_BYTES, writeChunk, writeLastChunk } from './chunk-bytes.ts';
import { FLAG } from './frames/frame-format.ts';
import { CANCEL } from './http2-codes.ts';
import { streamReset } from './stream-reset.ts';
import { type AnswerBody, fieldLines, interimAnswer, upstreamAnswer } from './upstream-answer.ts';
import { type UpstreamHead, upstreamHead } from './upstream-head.ts';
import type { SessionWaiter, UpstreamSession } from './upstream-session.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

/** What is kept of a request for the case that the upstream has not begun it; a longer one is sent once. */
const KEPT_BYTES = 64 * 1024;
const MOST_ATTEMPTS = 3;
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
export class UpstreamStream implements Transport, SessionWaiter {
  readonly #options: UpstreamStreamOptions;
  readonly #receiver: TransportReceiver;
  readonly #onConnected: () => void;
  readonly #body: BodyReader;
  #session: UpstreamSession | undefined;
  #stream: ClientHttp2Stream | undefined = undefined;
  #head: UpstreamHead | undefined = undefined;
  /** Pieces of the body sent; undefined when there are too many to send them again. */
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  #bodyEnded = false;
  #connected = false;
  #attempts = 0;
  /** What the session had heard when the request was sent. */
  #heardBefore = 0;
  #sentBytes = 0;
  #answer: AnswerBody | undefined = undefined;
  /** A part of an answer has come, if only an interim one: the request was begun. */
  #begun = false;
  /** The upstream has ended its answer, rather than broken it off. */
  #sawEnd = false;
  #trailers: readonly string[] = [];
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
    return stream.writableNeedDrain ? stream.writableLength : 0;
  }

  get takenBytes(): number {
    return this.#sentBytes - (this.#stream?.writableLength ?? 0);
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
    try {
      const stream = session.request(head.fields, this.#bodyEnded && (this.#kept?.length ?? 0) === 0);
      this.#stream = stream;
      this.#listen(stream);
      if (this.#paused) stream.pause();
      for (const piece of this.#kept ?? []) stream.write(piece);
      this.#forgetMuch();
      if (this.#bodyEnded && !stream.writableEnded) stream.end();
    } catch {
      this.#over('EPROTO');
    }
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
      this.#stream?.end();
    }
  }

  #send(piece: Buffer): void {
    this.#sentBytes += piece.length;
    this.#keptBytes += piece.length;
    this.#kept?.push(piece);
    this.#stream?.write(piece);
    this.#forgetMuch();
  }

  /** What no stream has yet got is kept whatever it is. */
  #forgetMuch(): void {
    if (this.#stream !== undefined && this.#keptBytes > KEPT_BYTES) this.#kept = undefined;
  }

  #listen(stream: ClientHttp2Stream): void {
    this.#watchEnd(stream);
    stream.on('headers', (fields, _flags, raw: unknown) => {
      this.#hear();
      this.#takeInterim(Number(fields[':status']), rawFields(raw));
    });
    stream.on('response', (fields, flags, raw: unknown) => {
      this.#hear();
      const endsHere = (flags & FLAG.endStream) !== 0;
      this.#takeHead(Number(fields[':status']), rawFields(raw), endsHere);
    });
    stream.on('data', (bytes: Buffer) => {
      this.#hear();
      this.#takeData(bytes);
    });
    stream.on('trailers', (_fields, _flags, raw: unknown) => {
      this.#trailers = rawFields(raw);
    });
    stream.on('end', () => this.#takeEnd(stream));
    stream.on('drain', () => {
      if (!this.#gone) this.#receiver.onFlushed();
    });
    stream.on('error', () => {});
    stream.on('close', () => this.#closed(stream));
  }

  /**
   * Node ends what it reads of a stream that the upstream has reset by NO_ERROR as if it were whole, but closes it first. A reader that pauses
   * hears of the end when either is closed, so it is looked at where it comes in.
   */
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream);
    let isOver = false;
    this.#sawEnd = false;
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !isOver) {
        isOver = true;
        this.#sawEnd = !stream.closed;
      }
      return push(chunk, encoding);
    };
  }

  #hear(): void {
    if (this.#session !== undefined) this.#session.heard++;
  }

  #takeInterim(status: number, fields: readonly string[]): void {
    // The gateway has told its client itself to go on.
    if (this.#gone || status === 100) return;
    this.#begun = true;
    this.#kept = undefined;
    const text = interimAnswer(status, fields);
    if (text === undefined) this.#over('EPROTO');
    else this.#giveText(text);
  }

  #takeHead(status: number, fields: readonly string[], endsHere: boolean): void {
    if (this.#gone) return;
    this.#begun = true;
    this.#kept = undefined;
    const answer = upstreamAnswer({ status, fields, endsHere, isHead: this.#head?.isHead === true });
    if (answer === undefined) {
      this.#over('EPROTO');
      return;
    }
    this.#answer = answer.body;
    this.#whole = answer.body === 'none' || this.#head?.isHead === true;
    this.#giveText(answer.head);
  }

  #takeData(bytes: Buffer): void {
    for (let start = 0; start < bytes.length && !this.#gone && !this.#whole; ) {
      const room = this.#options.nextReadBuffer();
      const piece = bytes.subarray(start, start + room.length - CHUNK_FRAME_BYTES);
      start += piece.length;
      if (this.#answer === 'chunked') this.#receiver.onBytes(room, writeChunk(room, piece));
      else this.#receiver.onBytes(room, piece.copy(room));
    }
  }

  #takeEnd(stream: ClientHttp2Stream): void {
    if (this.#gone || this.#whole || stream.rstCode !== 0 || this.#answer === undefined || !this.#sawEnd) return;
    this.#whole = true;
    if (this.#answer !== 'chunked') return;
    const lines = fieldLines(this.#trailers);
    if (lines === undefined) {
      this.#whole = false;
      this.#over('EPROTO');
      return;
    }
    const room = this.#options.nextReadBuffer();
    this.#receiver.onBytes(room, writeLastChunk(room, lines));
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

  #closed(stream: ClientHttp2Stream): void {
    if (this.#gone || stream !== this.#stream) return;
    const unprocessed = !this.#begun && this.#session?.hasRefused(stream) === true;
    if (unprocessed && this.#kept !== undefined && this.#attempts < MOST_ATTEMPTS) this.#again();
    else this.#over(this.#whole ? undefined : this.#failureOf(stream));
  }

  /** Of a connection that has gone Node gives its streams a code of its own making. */
  #failureOf(stream: ClientHttp2Stream): string {
    const session = this.#session;
    const isRefused = session?.hasRefused(stream) === true;
    if (session?.lost !== false && !isRefused) return 'ECONNRESET';
    return streamReset(stream.rstCode ?? 0, this.#begun || !isRefused);
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
    if (stream !== undefined && !stream.closed) stream.close(CANCEL);
    this.#release();
    process.nextTick(() => this.#receiver.onClose(failure));
  }
}

function rawFields(raw: unknown): readonly string[] {
  return Array.isArray(raw) ? raw.map(String) : [];
}
