import type { ErrorReason } from '../../errors/index.ts';
import type { ClientConnection, UpstreamTarget } from '../exchange.ts';

/** How a client speaks to a stream listener. */
export type StreamProtocol = 'tcp' | 'udp';

/** How a stream went. Times are monotonic milliseconds, 0 where it never got there. */
export interface StreamFacts {
  readonly client: ClientConnection;
  readonly protocol: StreamProtocol;
  /** Where it was sent last; undefined where it was sent nowhere. */
  readonly target: UpstreamTarget | undefined;
  readonly attempts: number;
  readonly bytesFromClient: number;
  readonly bytesToClient: number;
  readonly startedAtMs: number;
  readonly decidedAtMs: number;
  readonly connectedAtMs: number;
  /** The upstream's first byte. */
  readonly firstByteAtMs: number;
  readonly finishedAtMs: number;
  /** Why it was refused or cut short; undefined for one that both sides have ended, or that has gone quiet where nothing can end. */
  readonly reason: ErrorReason | undefined;
}

/** What a handler decides about one stream. */
export interface StreamPlan {
  readonly connectTimeoutMs: number;
  /** Longest time in which the upstream takes nothing of what was written to it. */
  readonly sendTimeoutMs: number;
  /** Longest time without a byte either way. */
  readonly idleTimeoutMs: number;
}

/** Whoever is responsible for one stream. */
export interface StreamOwner {
  /** Whether the stream may go on, asked once before anything was read of it. What it throws or rejects with ends the stream. */
  decide(): StreamPlan | ErrorReason | Promise<StreamPlan | ErrorReason>;
  /** The target of an attempt, counted from 0; or why there is no further one. */
  nextTarget(attempt: number, previousFailure: ErrorReason | undefined): UpstreamTarget | ErrorReason;
  /** The last target is connected or, where nothing connects, has answered. Called at most once; must not throw. */
  reached(): void;
  /** The stream is over. Called exactly once; must not throw. */
  ended(facts: StreamFacts): void;
}

/** Decides about all streams of a server. */
export interface StreamHandler {
  /** A client has connected, or sent its first datagram. */
  accepted(client: ClientConnection, protocol: StreamProtocol): StreamOwner;
}
