import type { HandshakeEvents, PendingHandshake } from '../tls/handshake-events.ts';
import type { Transport, TransportReceiver } from './transport.ts';

/** A client's connection that the kernel has established and nobody has read from. Exactly one of its methods is called, once. */
export interface AcceptedConnection {
  /** As the system spells it; undefined when the client has gone already. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;
  readonly localPort: number;
  /** As the system spells it; undefined when the connection has gone. */
  localAddress(): string | undefined;
  /** Present where the client must encrypt: begins the handshake, and what comes of it is opened in place of this. */
  readonly secure: ((events: HandshakeEvents) => PendingHandshake) | undefined;
  /** Begins to read in clear. Nothing reaches the receiver before this returns. */
  open(receiver: TransportReceiver): Transport;
  /** Closes the connection unread. */
  refuse(): void;
}
