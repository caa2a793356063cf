import type { ErrorReason } from '../../errors/index.ts';
import type { BodyReader } from '../parser/body-reader.ts';
import type { Tunnel, TunnelClient } from '../tunnel/tunnel.ts';

/** The client's side of a forwarded request, as the upstream's side needs it. */
export interface ForwardingClient extends TunnelClient {
  /** Takes the framing off the request's body. */
  readonly body: BodyReader;
  readonly minorVersion: 0 | 1;
  /** The client has asked with HEAD. */
  readonly isHead: boolean;
  /** The gateway has told the client itself to send its body. */
  readonly sentContinue: boolean;
  /** Whether the connection can serve another request after an answer whose head is written now. */
  keepsAlive(): boolean;
  /** The connection serves no other request: what the client sends may be of another protocol. */
  closeAfterAnswer(): void;
  /** The upstream has changed the protocol and the head that says so is written; from here on bytes go through `tunnel`. */
  beginTunnel(tunnel: Tunnel): void;
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
