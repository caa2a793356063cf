import type { Http2Stream, StreamReceiver } from './http2-stream.ts';

/** Who decides about one connection. */
export interface SessionOwner {
  /** A request has come; its reader is returned. Only on servers. */
  onStream(stream: Http2Stream, fields: readonly string[], endsHere: boolean): StreamReceiver;
  /** A stream was ended by us because of the peer, and not by its reader; false: there were too many. */
  onRefused(): boolean;
  /** The peer's settings have come, or others. */
  onSettings(): void;
  onPingAnswered(): void;
  /** The peer takes no further stream, and has begun none of ours behind the last one. */
  onGoaway(lastStream: number, code: number): void;
  /** All streams are over, and were told. */
  onEmpty(): void;
  /** The transport is closed, and every stream was told. */
  onGone(failure: string | undefined): void;
}
