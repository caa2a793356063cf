import type { ClientHttp2Session } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import type { PeerCertificate } from 'node:tls';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import { type SessionPlace, TLS_FAILURE } from '../transport/connect-tls-transport.ts';

/** Begins an HTTP/2 connection; `onFailure` hears why none was made, the system's code or one of `TLS_FAILURE`, before the session closes. */
export type Http2Dial = (onFailure: (code: string) => void) => ClientHttp2Session;

/** Where a connection goes to, and how it is encrypted. */
export interface Http2Address {
  /** An IP literal. */
  readonly address: string;
  readonly port: number;
  readonly tls: UpstreamTls | undefined;
}

/** What the gateway takes from an upstream at once: as much as it lets a client send. */
const SETTINGS = { enablePush: false, initialWindowSize: 256 * 1024, maxHeaderListSize: 128 * 1024 };
const ALPN = 'h2';

/** Connects with prior knowledge (RFC 9113 §3.3) or, encrypted, where the upstream agrees on `h2`. */
export function http2Dial(where: Http2Address, place: SessionPlace): Http2Dial {
  return (onFailure) => {
    const socket = where.tls === undefined ? connectPlain(where, onFailure) : connectSecurely(where, where.tls, place, onFailure);
    // Loaded with the first one, as TLS is.
    const { connect } = process.getBuiltinModule('node:http2');
    const authority = where.tls === undefined ? 'http://upstream' : 'https://upstream';
    // The types know nothing of `strictSingleValueFields` here: what a client has sent twice goes on twice.
    const options: object = { settings: SETTINGS, maxHeaderListPairs: 1000, maxSessionMemory: 64, strictSingleValueFields: false };
    return connect(authority, { ...options, createConnection: () => socket });
  };
}

function connectPlain({ address, port }: Http2Address, onFailure: (code: string) => void): Socket {
  const socket = connectSocket({ host: address, port, noDelay: true });
  socket.on('error', (error: NodeJS.ErrnoException) => onFailure(error.code ?? 'UNKNOWN'));
  return socket;
}

function connectSecurely(
  { address: host, port }: Http2Address,
  { identity, serverName, peerName }: UpstreamTls,
  place: SessionPlace,
  onFailure: (code: string) => void,
): Socket {
  const { checkServerIdentity, connect } = process.getBuiltinModule('node:tls');
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
  const refuse = (code: string): void => {
    place.session = undefined;
    identity.onFailed({ address: host, port, peerName, code });
    onFailure(socket.authorizationError ? TLS_FAILURE.certificate : TLS_FAILURE.handshake);
  };
  socket.setNoDelay(true);
  socket.on('session', (session: Buffer) => {
    place.session = session;
  });
  socket.once('connect', () => {
    isConnected = true;
  });
  socket.prependOnceListener('secureConnect', () => {
    if (socket.alpnProtocol === ALPN) return;
    refuse('NO_HTTP2');
    socket.destroy();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const code = error.code ?? 'UNKNOWN';
    if (isConnected && (code.startsWith('ERR_') || socket.authorizationError)) refuse(code);
    else onFailure(code);
    // Behind an alert Node would leave the connection open, and the session with it.
    socket.destroy();
  });
  return socket;
}
