import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import { HttpConnection } from '../connection/http-connection.ts';
import type { HttpExchange } from '../connection/http-exchange.ts';
import { PHASE } from '../connection/phase.ts';
import { ProgressWatch } from '../connection/progress-watch.ts';
import type { EngineContext } from '../engine-context.ts';
import type { ClientConnection } from '../exchange.ts';
import { CHUNK_FRAME_BYTES, lastChunk, writeChunk } from './chunk-bytes.ts';
import { INTERNAL_ERROR, NO_ERROR, PROTOCOL_ERROR } from './http2-codes.ts';
import { type RequestForm, trailerLines } from './request-form.ts';
import { ResponseWriter } from './response-writer.ts';
import type { Http2Stream, StreamReceiver } from './session/http2-stream.ts';
import { clientResetCode } from './stream-reset.ts';
import type { StreamTools } from './stream-tools.ts';
import { StreamTransport } from './stream-transport.ts';

/** How long a client may take nothing of an answer, and how slow it may be, while too much is kept for all of them. */
const PRESSED_STALL_MS = 5_000;
const PRESSED_BYTES_PER_SECOND = 1024;

/**
 * How a request has ended: with an answer that is not the gateway's refusal; without any fault of the client's, but for nothing; or because the client
 * has given it up or made the gateway break it off.
 */
export type RequestEnd = 'answered' | 'excused' | 'abandoned';

/** What is answered, on the engine's behalf, to a request that is none. */
const REFUSED_FORM: RequestForm = {
  head: '',
  body: 'none',
  contentLength: 0,
  isHead: false,
  isGrpc: false,
  deadlineMs: undefined,
  takesTrailers: false,
  webSocketKey: undefined,
};

/**
 * One request of a client's HTTP/2 connection. To the engine it is a connection of HTTP/1.1 with a single request, so that every
 * check, time-out, plugin, filter and log line is that of any other request; its bytes are made here, and nobody else writes into them.
 */
export class RequestStream implements StreamReceiver {
  readonly connection: HttpConnection;
  readonly #stream: Http2Stream;
  readonly #context: EngineContext;
  readonly #tools: StreamTools;
  readonly #form: RequestForm;
  /** Why the request is none. */
  readonly #refusal: ErrorReason | undefined;
  readonly #writer: ResponseWriter;
  readonly #transport: StreamTransport;
  readonly #onGone: (stream: RequestStream, end: RequestEnd) => void;
  /** Bytes that the body is still to have, where its length was told. */
  #unread: number;
  /** The one that the engine has made of it; undefined before, and where that was over at once. */
  #exchange: HttpExchange | undefined = undefined;
  /** Bytes that have come and were taken. */
  #bodyBytes = 0;
  /** While too much is kept. */
  #pressed: ProgressWatch | undefined = undefined;
  #cancelDeadline: (() => void) | undefined = undefined;
  /** Monotonic time when a sweep first found that the engine is through with it. */
  #overSinceMs: number | undefined = undefined;

  constructor(
    context: EngineContext,
    tools: StreamTools,
    client: ClientConnection,
    stream: Http2Stream,
    form: RequestForm | ErrorReason,
    onGone: (stream: RequestStream, end: RequestEnd) => void,
  ) {
    this.#context = context;
    this.#tools = tools;
    this.#stream = stream;
    this.#onGone = onGone;
    this.#form = typeof form === 'string' ? REFUSED_FORM : form;
    this.#refusal = typeof form === 'string' ? form : undefined;
    this.#writer = new ResponseWriter(stream, this.#form, tools, context.answerLimits, () => this.#reason);
    this.#unread = this.#form.contentLength;
    let transport: StreamTransport | undefined;
    this.connection = new HttpConnection(
      context,
      client,
      (receiver) => {
        const readsBody = this.#form.body !== 'none' || this.#refusal !== undefined;
        transport = new StreamTransport(stream, receiver, this.#writer, readsBody, {
          onSwitched: () => stream.resume(),
          resetCode: () => clientResetCode(this.#reason),
        });
        return transport;
      },
      () => {},
    );
    if (transport === undefined) throw new Error('the connection has made no transport');
    this.#transport = transport;
  }

  /** Gives the request to the engine, as the one with this number on its connection. `refusal`: it is one too many. */
  begin(number: number, refusal: ErrorReason | undefined): void {
    const { connection } = this;
    connection.keepAlive.served = number;
    const reason = refusal ?? this.#refusal;
    if (reason !== undefined) connection.refuseFirst(reason);
    if (reason !== undefined && this.#refusal !== undefined) {
      // Not given up at once: an answer that the client does not take has its time as any other has.
      connection.beginExchange();
      connection.refuse(reason);
      return;
    }
    // What a client says before the upstream has agreed to a WebSocket waits: it is nobody's yet.
    if (this.#form.webSocketKey !== undefined) this.#stream.pause();
    const { head, deadlineMs } = this.#form;
    if (deadlineMs !== undefined) this.#cancelDeadline = this.#context.clock.schedule(deadlineMs, () => this.#deadlinePassed());
    const bytes = this.#tools.room(head.length);
    connection.onBytes(bytes, bytes.write(head, 0, 'latin1'));
    this.#exchange = connection.request.exchange;
  }

  /** Why the request has failed, if it has. */
  get #reason(): ErrorReason | undefined {
    return (this.connection.request.exchange ?? this.#exchange)?.reason;
  }

  /** Monotonic time is `nowMs`: ends what has waited for too long. */
  checkDeadlines(nowMs: number): void {
    if (this.connection.phase !== PHASE.closed) {
      this.connection.checkDeadlines(nowMs);
      this.#checkPressed(nowMs);
      return;
    }
    // What the engine has given up closes by itself; should anything hold it up, its connection would never be idle again.
    this.#overSinceMs ??= nowMs;
    if (nowMs - this.#overSinceMs >= this.#context.timeouts.lingerMs) this.#stream.reset(INTERNAL_ERROR);
  }

  /** While too much is kept, a request goes whose client or upstream does not get on: it keeps what all need. */
  #checkPressed(nowMs: number): void {
    const answerWaits = this.#transport.pendingBytes > 0;
    const bodyWaits = this.connection.phase === PHASE.forwarding && this.#stream.keptBytes > 0;
    if (!this.#context.pool.stored.isFull || !(answerWaits || bodyWaits)) {
      this.#pressed = undefined;
      return;
    }
    this.#pressed ??= new ProgressWatch(PRESSED_STALL_MS, PRESSED_BYTES_PER_SECOND);
    if (!this.#pressed.isTooSlow(nowMs, this.#transport.takenBytes + this.#bodyBytes, nowMs)) return;
    this.connection.giveUp(answerWaits ? 'client_write_timeout' : 'upstream_send_timeout');
    // Behind a whole answer there is nothing that the engine could give up.
    if (answerWaits) this.#stream.reset(INTERNAL_ERROR);
  }

  onHead(): void {}

  onData(bytes: Buffer, start: number, end: number): void {
    const { connection } = this;
    const length = end - start;
    this.#bodyBytes += length;
    if (this.#transport.isTunnel) {
      connection.onBytes(bytes.subarray(start, end), length);
      return;
    }
    if (this.#form.body === 'none' || this.#transport.whole) return;
    if (this.#form.body === 'length') {
      this.#unread -= length;
      if (this.#unread < 0) this.#stream.reset(PROTOCOL_ERROR);
      else connection.onBytes(bytes.subarray(start, end), length);
      return;
    }
    const room = this.#tools.room(length + CHUNK_FRAME_BYTES);
    connection.onBytes(room, writeChunk(room, bytes.subarray(start, end)));
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#transport.isTunnel) this.connection.onEnd();
    else if (this.#form.body !== 'none' && !this.#stream.closed && !this.#transport.whole) this.#endBody(trailers);
  }

  onDrained(): void {
    this.#transport.drained();
  }

  onClosed(): void {
    this.#cancelDeadline?.();
    this.#writer.close();
    const inOrder = this.#stream.code === NO_ERROR && this.#stream.endedBy !== 'connection';
    const orderly = this.#transport.whole || (this.#transport.isTunnel && inOrder);
    // Asked before the engine hears of the end, which is a reason itself.
    const reason = this.#reason;
    this.connection.onClose(orderly ? undefined : 'ECONNRESET');
    this.#onGone(this, this.#endOf(orderly, reason));
  }

  #endOf(orderly: boolean, reason: ErrorReason | undefined): RequestEnd {
    // One that is broken off before the upstream has said a word has cost it a connection (CVE-2023-44487); an end of a WebSocket in order gets an answer.
    if (this.#transport.isTunnel) return this.#stream.endedBy === 'peer' && this.#transport.isSilentTunnel ? 'abandoned' : 'excused';
    if (orderly) return reason === undefined && this.#stream.localEnded ? 'answered' : 'excused';
    // A deadline is the client's choice.
    const isClients = reason === undefined || reason === 'deadline_exceeded' || ERROR_CODES[reason].source !== 'upstream';
    return this.#stream.endedBy === 'own' && !isClients ? 'excused' : 'abandoned';
  }

  #endBody(trailers: readonly string[]): void {
    if (this.#form.body === 'length') {
      // RFC 9113 §8.1.1: a request that is none, which concerns no other.
      if (this.#unread > 0 || trailerLines(trailers) === undefined) this.#stream.reset(PROTOCOL_ERROR);
      return;
    }
    const lines = trailerLines(trailers);
    if (lines === undefined) {
      this.connection.giveUp('bad_chunk');
      return;
    }
    const text = lastChunk(lines);
    const room = this.#tools.room(text.length);
    this.connection.onBytes(room, room.write(text, 0, 'latin1'));
  }

  #deadlinePassed(): void {
    this.connection.giveUp('deadline_exceeded');
  }
}
