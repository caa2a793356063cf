import type { TransportWish } from './transport/choose-transport.ts';

/** Sizes beyond which a message is refused, so that no peer decides how much memory it takes. */
export interface EngineLimits {
  /** Longer targets get 414. */
  readonly targetBytes: number;
  /** Longer request heads get 431. */
  readonly headBytes: number;
  /** More header fields get 431. */
  readonly headerCount: number;
  /** All chunk extensions of one body together; more is 400. */
  readonly chunkExtensionBytes: number;
  /** A request's trailer section; more is 400. */
  readonly trailerBytes: number;
  /** Longer response heads are a malformed response, and longer trailer sections, unless `trailerBytes` is more. */
  readonly responseHeadBytes: number;
  readonly responseHeaderCount: number;
  /** Interim responses (1xx) that one exchange may have. */
  readonly interimResponses: number;
  /** How much of an unread request body is read and thrown away behind an early answer, and of a response's that the client has no use for. */
  readonly discardedBodyBytes: number;
  /** A client's connection is closed with this many answers, so that what it has gathered ends some time. */
  readonly requestsPerConnection: number;
  /** Bytes that HTTP/2 keeps in a worker for peers that do not take them; with more, windows stay small and requests that do not get on end early. */
  readonly storedBytes: number;
  /** TLS handshakes of clients that may be under way at once; for each one more the oldest is given up. */
  readonly handshakes: number;
}

/** How long the engine waits, in milliseconds, and how slow a client may be; one sweep looks at all, so each is exact to half a second. */
export interface EngineTimeouts {
  /** From a request's first byte to the end of its head; answers 408. Also from connecting to the first byte; closes. */
  readonly headMs: number;
  /** From connecting to the end of a TLS handshake; closes. */
  readonly handshakeMs: number;
  /** Between the requests of a connection; closes. */
  readonly clientIdleMs: number;
  /**
   * How long the handler may take to decide, from the head or from the end of a body that it has collected, and a filter for one piece
   * of an answer; answers 500. A safety: handlers have limits of their own below it.
   */
  readonly decisionMs: number;
  /** Longest silence inside a request body that the engine is ready to read; answers 408. Also what `bodyBytesPerSecond` is averaged over. */
  readonly bodySilenceMs: number;
  /** Lowest rate at which a request body may arrive while the engine is ready to read; answers 408. 0: any. */
  readonly bodyBytesPerSecond: number;
  /** Longest time in which the client takes nothing of an answer; ends the connection. Also what `answerBytesPerSecond` is averaged over. */
  readonly clientWriteStallMs: number;
  /** Lowest rate at which the client may take an answer while a part of it waits; ends the connection. 0: any. */
  readonly answerBytesPerSecond: number;
  /**
   * How long a client that has ended its own side is kept waiting for the head of an answer. Most such clients have gone away, which
   * nothing but a write would show; until then they hold a connection to the upstream.
   */
  readonly halfClosedMs: number;
  /** How long a connection that is being closed waits for the client's end, so that the answer is not lost to a reset. */
  readonly lingerMs: number;
  /** How long a connection that has not sent its first request is kept during a drain. */
  readonly drainGraceMs: number;
  /** A client's connection this old is closed with its next answer. */
  readonly clientAgeMs: number;
  /** A connection to an upstream this old serves no further request. */
  readonly upstreamAgeMs: number;
  /** How long a connection to an upstream is kept without a request; an upstream that announces less in `Keep-Alive` shortens it. */
  readonly upstreamIdleMs: number;
}

/** What an instance changes of the defaults below. */
export interface EngineSettings {
  /** How sockets are driven; `auto` unless said. */
  readonly transport?: TransportWish;
  /** Whether the plain port speaks HTTP/2 too, to clients that begin with it. */
  readonly http2Cleartext?: boolean;
  readonly limits: Partial<EngineLimits>;
  readonly timeouts: Partial<EngineTimeouts>;
}

export const DEFAULT_ENGINE_LIMITS: EngineLimits = {
  targetBytes: 8 * 1024,
  headBytes: 32 * 1024,
  headerCount: 200,
  chunkExtensionBytes: 4 * 1024,
  trailerBytes: 8 * 1024,
  responseHeadBytes: 64 * 1024,
  responseHeaderCount: 500,
  interimResponses: 16,
  discardedBodyBytes: 64 * 1024,
  requestsPerConnection: 10_000,
  storedBytes: 128 * 1024 * 1024,
  handshakes: 1_000,
};

export const DEFAULT_ENGINE_TIMEOUTS: EngineTimeouts = {
  headMs: 60_000,
  handshakeMs: 10_000,
  clientIdleMs: 75_000,
  decisionMs: 60_000,
  bodySilenceMs: 60_000,
  bodyBytesPerSecond: 240,
  clientWriteStallMs: 60_000,
  answerBytesPerSecond: 240,
  halfClosedMs: 5_000,
  lingerMs: 2_000,
  drainGraceMs: 1_000,
  clientAgeMs: 3_600_000,
  upstreamAgeMs: 3_600_000,
  upstreamIdleMs: 60_000,
};
