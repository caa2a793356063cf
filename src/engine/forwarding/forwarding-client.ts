import type { ErrorReason } from '../../errors/index.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import type { Transport } from '../transport/transport.ts';

/** The client's side of a forwarded request, as the upstream's side needs it. */
export interface ForwardingClient {
  readonly transport: Transport;
  /** Takes the framing off the request's body. */
  readonly body: BodyReader;
  readonly minorVersion: 0 | 1;
  /** Whether the connection can serve another request after an answer whose head is written now. */
  keepsAlive(): boolean;
  /** Whether more bytes of the body are wanted may have changed. */
  onBodyInterest(): void;
  /** The answer, forwarded whole, has been written. */
  answerWritten(keepAlive: boolean): void;
  /** The exchange failed before anything of its answer was written: the engine answers. */
  refuse(reason: ErrorReason): void;
  /** The exchange failed inside its answer: the client must notice. */
  cut(reason: ErrorReason): void;
  /** Something of the gateway threw. */
  reportFailure(error: unknown): void;
}
