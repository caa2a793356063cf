import type { ErrorReason } from '../../errors/index.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import type { ClientTls } from './client-tls.ts';

/** Why a handshake came to nothing. */
export interface HandshakeFailure {
  readonly reason: ErrorReason;
  /** OpenSSL's or the system's code, or what is wrong with a certificate of ours; no secret. */
  readonly detail: string | undefined;
  /** The host that the client asked for, as far as it was read. */
  readonly serverName: string | undefined;
}

/** Hears how a handshake ends: one of the two, once. */
export interface HandshakeEvents {
  /** `open` is called at once, so that no byte of the client's is missed. */
  onSecured(tls: ClientTls, open: (receiver: TransportReceiver) => Transport): void;
  onFailed(failure: HandshakeFailure): void;
}

/** A handshake under way. */
export interface PendingHandshake {
  /** Ends it and its connection for this reason. */
  fail(reason: ErrorReason): void;
}
