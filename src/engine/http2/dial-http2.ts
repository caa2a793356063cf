import type { PeerCertificate, TLSSocket } from 'node:tls';
import { nodeTls } from '../../lib/node-tls.ts';
import { boundRenegotiations } from '../tls/bound-renegotiations.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import { isLateAlert, type SessionPlace, TLS_FAILURE } from '../transport/connect-tls-transport.ts';
import { connectTransport } from '../transport/connect-transport.ts';
import { EncryptedTransport } from '../transport/encrypted-transport.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import type { TransportKind } from '../transport/transport-kind.ts';

/** Begins a connection that is to speak HTTP/2; `onFailure` hears why none was made, the system's code or one of `TLS_FAILURE`, before it closes. */
export type Http2Dial = (receiver: TransportReceiver, onFailure: (code: string) => void) => Transport;

/** Where a connection goes to, and how it is encrypted. */
export interface Http2Address {
  /** An IP literal. */
  readonly address: string;
  readonly port: number;
  readonly tls: UpstreamTls | undefined;
}

/** How connections in clear are driven, and where all of them read to, one after the other. */
export interface Http2Reading {
  readonly transport: TransportKind;
  readonly readBuffer: Buffer;
}

const ALPN = 'h2';

/** Connects with prior knowledge (RFC 9113 §3.3) or, encrypted, where the upstream agrees on `h2`. */
export function http2Dial(where: Http2Address, place: SessionPlace, { transport, readBuffer }: Http2Reading): Http2Dial {
  return (receiver, onFailure) => {
    if (where.tls === undefined)
      return connectTransport({ transport, host: where.address, port: where.port, readBuffer }, receiver, () => {});
    return new EncryptedTransport(connectSecurely(where, where.tls, place, onFailure), receiver, true);
  };
}

function connectSecurely(
  { address: host, port }: Http2Address,
  { identity, serverName, peerName }: UpstreamTls,
  place: SessionPlace,
  onFailure: (code: string) => void,
): TLSSocket {
  const { checkServerIdentity, connect } = nodeTls();
  const socket = connect({
    host,
    port,
    secureContext: identity.secureContext,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(place.session === undefined ? {} : { session: place.session }),
    ALPNProtocols: [ALPN],
    rejectUnauthorized: identity.verifies,
    checkServerIdentity: (_asked: string, certificate: PeerCertificate) => checkServerIdentity(peerName, certificate),
  });
  let isConnected = false;
  let isSecured = false;
  const refuse = (code: string): void => {
    place.session = undefined;
    identity.onFailed({ address: host, port, peerName, code });
    // Of one that is not verified Node says too what it would not believe.
    onFailure(identity.verifies && socket.authorizationError ? TLS_FAILURE.certificate : TLS_FAILURE.handshake);
  };
  socket.setNoDelay(true);
  // RFC 9113 §9.2.1: in HTTP/2 there is none.
  boundRenegotiations(socket, 0);
  socket.on('session', (session: Buffer) => {
    place.session = session;
  });
  socket.once('connect', () => {
    isConnected = true;
  });
  socket.prependOnceListener('secureConnect', () => {
    isSecured = true;
    if (socket.alpnProtocol === ALPN) return;
    refuse('NO_HTTP2');
    socket.destroy();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const code = error.code ?? 'UNKNOWN';
    // An alert is told as EPROTO where it meets the preface, which is written before the handshake is over.
    if (isSecured ? isLateAlert(code) : isConnected) refuse(code);
    else onFailure(code);
    // Behind an alert Node would leave the connection open, and the session with it.
    socket.destroy();
  });
  return socket;
}
