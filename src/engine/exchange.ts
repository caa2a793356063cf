import type { ErrorReason } from '../errors/index.ts';
import type { ByteWriter } from '../lib/byte-writer.ts';
import type { ResponseFilter } from './response-filter.ts';
import type { ClientTls } from './tls/client-tls.ts';

/**
 * One parsed request head: offsets into bytes, no strings.
 *
 * Valid until the exchange is decided by `respond` or `forward`. While a handler decides later, the engine keeps the bytes
 * stable (it may move them to another buffer once, so read `bytes` anew after each wait).
 */
export interface RequestHead {
  readonly bytes: Buffer;
  readonly methodStart: number;
  readonly methodEnd: number;
  /** The target as sent, without the authority of an absolute-form: path and query, or `*`; empty for OPTIONS of an authority alone. */
  readonly targetStart: number;
  readonly targetEnd: number;
  /** Offset of `?` inside the target, or `targetEnd`. */
  readonly queryStart: number;
  /** Value of Host, or the authority of an absolute-form target (RFC 9112 §3.2.2). */
  readonly hostStart: number;
  readonly hostEnd: number;
  readonly minorVersion: 0 | 1;
  readonly headerCount: number;
  /** Four numbers a header: nameStart, nameEnd, valueStart, valueEnd (value without outer white space). */
  readonly headers: Int32Array;
  readonly body: 'none' | 'length' | 'chunked';
  /** Meaningful when `body` is `length`. */
  readonly contentLength: number;
  /** Index of the first header with this lower-case name, from `from` on, or -1. Cut headers are found too. */
  findHeader(lowerCaseName: Uint8Array, from?: number): number;
  /** Leaves this header out of what is forwarded. */
  cutHeader(index: number): void;
  /** Whether it is left out: it was cut, or `Connection` names it (RFC 9110 §7.6.1). */
  isCut(index: number): boolean;
}

/** Who is at the other end of the client's connection. Addresses are canonical: IPv4-mapped is IPv4, no zone. */
export interface ClientConnection {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort: number;
  /** Asked of the system each time; undefined when the connection has gone. */
  localAddress(): string | undefined;
  readonly encrypted: boolean;
  /** The major version of HTTP that the client speaks; the engine reads requests as HTTP/1.1 whatever it is. */
  readonly httpVersion: 1 | 2;
  /** What the handshake has agreed on; undefined on a connection in clear. */
  readonly tls: ClientTls | undefined;
  /** Belongs to the handler. */
  context: unknown;
}

/**
 * An answer the gateway makes itself. The engine adds Date, Server, Content-Length, Connection and the lines of
 * `ExchangeHandler.appendAnswerLines`, so that an answer may be made once and given many times.
 */
export interface LocalAnswer {
  readonly status: number;
  /** Complete header lines, each ended by CR LF, e.g. `Content-Type: …\r\n`; no framing headers. */
  readonly headerLines: Buffer;
  readonly body: Buffer;
  readonly reason: ErrorReason | undefined;
}

/** One address of an upstream with its own pool of idle connections. Made by `UpstreamPool.target`, kept as long as it is configured. */
export interface UpstreamTarget {
  readonly address: string;
  readonly port: number;
}

/** How a request goes on. The gateway passes its own per-request object that has this shape, so nothing is allocated for it. */
export interface ForwardPlan {
  /**
   * Replaces the method towards the upstream; else the client's. What the upstream answers is framed by the method sent, what the
   * client gets by its own (RFC 9110 §9.3.2); only where both are idempotent a request is sent twice.
   */
  readonly requestMethod: Buffer | undefined;
  /** Replaces path and query, when a rule changed them; else the client's bytes go on. */
  readonly requestTarget: Buffer | undefined;
  /** Replaces the value of Host; else the client's. Read again after each `nextTarget`, so that it may name the node chosen. */
  readonly hostValue: Buffer | undefined;
  readonly connectTimeoutMs: number;
  /** Longest silence while the upstream does not read. */
  readonly sendTimeoutMs: number;
  /**
   * Request and answer go on beside each other for as long as they want (gRPC): the time-outs of silence count both directions together, and a
   * body need not arrive at any rate.
   */
  readonly isDuplex: boolean;
  /** Longest silence while the upstream does not write. */
  readonly readTimeoutMs: number;
  /** Most bytes of the client's body, without its framing; a larger one gets 413 `body_too_large`. Infinity: no limit. */
  readonly maxBodyBytes: number;
  /**
   * Replaces the body, with a Content-Length of its own, whether or not the client has sent one, and whether or not that was read.
   * What was not read of the client's waits until the answer is sent and is thrown away behind it, as behind an answer of the gateway's
   * own: a bounded rest only, or else the connection closes.
   */
  readonly body: Buffer | undefined;
  /** Changes the upstream's answer on its way; undefined: nothing looks at it. */
  readonly responseFilter: ResponseFilter | undefined;
  /**
   * Appends the complete header lines set by the gateway: they follow the client's and `Connection` can never remove them. Called
   * once, while the head's bytes are still there.
   */
  appendRequestLines(writer: ByteWriter): void;
  /** Whether a change of protocol that the client offers (RFC 9110 §7.8, WebSocket) goes on; else the offer is left out. */
  readonly allowsUpgrade: boolean;
  /** Lower-case names of trailer fields that never reach the upstream, beyond those that RFC 9110 §6.5.1 forbids. */
  isForbiddenTrailer(bytes: Buffer, nameStart: number, nameEnd: number): boolean;
  /**
   * The address for this attempt, counted from 0; or the reason why there is none. After a failure that the table of errors
   * allows to retry the engine asks again, until it gets a reason: the first failure is then the answer, or `retry_timeout` where
   * that is the reason.
   */
  nextTarget(attempt: number, previousFailure: ErrorReason | undefined): UpstreamTarget | ErrorReason;
}

/** One request with its answer. A pipeline decides it once, at once or later, by `respond` or `forward`. */
export interface Exchange {
  /** Undefined when the request was refused before a whole head was read. */
  readonly head: RequestHead | undefined;
  readonly connection: ClientConnection;
  /** Belongs to the handler. */
  context: unknown;
  /**
   * Collects the whole body, without its framing, in memory; to be called before the exchange is decided. A client that waits for 100
   * gets it. `too-large` as soon as it is known that there are more bytes than `maxBytes`; the rest stays unread, as for any early
   * answer, or goes on when the request is forwarded all the same. A body that was collected is kept for `forward`, which sends it
   * with a Content-Length and without trailer fields; another call gives the same bytes. They must not be changed.
   *
   * Rejects with an Error when the exchange ends before the body does, because the client went away, is too slow, or sends a malformed
   * body; then it is over, and nothing needs to be decided. Rejects also when the exchange is decided already, or a call is under way.
   */
  readBody(maxBytes: number): Promise<Buffer | 'too-large'>;
  /** Lets the handler take so much longer to decide: it waits on purpose. */
  grantTime(durationMs: number): void;
  /**
   * As `readBody`, but of a longer body the first `maxBytes` bytes alone: the rest is neither waited for nor kept. Forwarded, the request goes
   * on with what was collected and then with what comes, framed as the client framed it.
   */
  readBodyStart(maxBytes: number): Promise<Buffer>;
  respond(answer: LocalAnswer): void;
  forward(plan: ForwardPlan): void;
  /** Ends it before its time: with the answer of `reason`, or by a cut inside one. */
  abort(reason: ErrorReason): void;

  // What happened, for the log; complete when `onFinished` is called.
  /** Status sent to the client, 0 when none was. */
  readonly status: number;
  /** Why the gateway answered itself, or cut the exchange short. */
  readonly reason: ErrorReason | undefined;
  readonly upstreamStatus: number;
  /** The statuses that nginx would give to attempts which got no answer, as `502, 504`; empty for none. */
  readonly failedAttempts: string;
  readonly upstream: UpstreamTarget | undefined;
  readonly attempts: number;
  readonly bytesFromClient: number;
  readonly bytesToClient: number;
  /** Of these, the body of the final answer, with the framing of its chunks. */
  readonly bodyBytesToClient: number;
  /** Requests begun before this one on the client's connection. */
  readonly connectionRequests: number;
  /** Monotonic milliseconds; 0 where the exchange never got there. */
  readonly startedAtMs: number;
  readonly headReadAtMs: number;
  readonly decidedAtMs: number;
  readonly connectedAtMs: number;
  readonly firstByteAtMs: number;
  readonly finishedAtMs: number;
}

/** The seam between the engine and what decides about requests. */
export interface ExchangeHandler {
  /** A whole head has arrived and is valid. Throwing answers 500 with reason `internal`. */
  onRequest(exchange: Exchange): void;
  /**
   * Appends the header lines that every final answer of this exchange carries, e.g. the request id: forwarded ones, the gateway's
   * own, and those that the engine makes by itself (400, 408, 502, …). Called before `onFinished`.
   */
  appendAnswerLines(exchange: Exchange, writer: ByteWriter): void;
  /**
   * The answer that the engine makes by itself to a request whose head it has read (413, 502, 504, …), before it is sent: returns it,
   * or another one instead. Throwing leaves the answer as it is, and is reported.
   */
  filterAnswer?(exchange: Exchange, answer: LocalAnswer): LocalAnswer;
  /**
   * Asked every few seconds about an exchange that is forwarded and goes on, tunnels too: why it may not, if so. It is then ended as `abort` does.
   * Without it every exchange goes on.
   */
  objection?(exchange: Exchange): ErrorReason | undefined;
  /** Called once for each exchange, refused ones too. */
  onFinished(exchange: Exchange): void;
}
