import type { PeerCertificate, TLSSocket } from 'node:tls';
import { nodeTls } from '../../lib/node-tls.ts';
import { boundRenegotiations } from '../tls/bound-renegotiations.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { ConnectOptions } from './connect-transport.ts';
import { EncryptedTransport } from './encrypted-transport.ts';
import type { Transport, TransportReceiver } from './transport.ts';

/** Failures of `onClose` that are no codes of the system: the handshake, and the certificate that the upstream showed in it. */
export const TLS_FAILURE = { handshake: 'TLS_HANDSHAKE', certificate: 'TLS_CERTIFICATE' } as const;

/** Some servers ask for a certificate only when they have read which path it is for; that takes one. */
const MOST_RENEGOTIATIONS = 3;

/** A session of an upstream that a later connection with the same `UpstreamTls` may take up again. */
export interface SessionPlace {
  session: Buffer | undefined;
}

/** As `connectTransport`, encrypted: `onConnected` comes behind the handshake, when the upstream is believed. */
export function connectTlsTransport(
  options: ConnectOptions,
  { identity, serverName, peerName }: UpstreamTls,
  place: SessionPlace,
  receiver: TransportReceiver,
  onConnected: () => void,
): Transport {
  const { host, port, readBuffer, nextReadBuffer } = options;
  const { checkServerIdentity, connect } = nodeTls();
  let buffer = readBuffer;
  // The type of Node's options has no place for `onread`, which its documentation has.
  const settings = {
    host,
    port,
    allowHalfOpen: true,
    secureContext: identity.secureContext,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(place.session === undefined ? {} : { session: place.session }),
    ALPNProtocols: [...identity.protocols],
    rejectUnauthorized: identity.verifies,
    checkServerIdentity: (_asked: string, certificate: PeerCertificate) => checkServerIdentity(peerName, certificate),
    onread: {
      buffer: () => {
        buffer = nextReadBuffer === undefined ? readBuffer : nextReadBuffer();
        return buffer;
      },
      callback: (length: number) => {
        receiver.onBytes(buffer, length);
        return true;
      },
    },
  };
  const socket = connect(settings);
  socket.setNoDelay(true);
  boundRenegotiations(socket, MOST_RENEGOTIATIONS);
  socket.on('session', (session: Buffer) => {
    place.session = session;
  });
  const onFailed = (code: string): void => {
    // It may be what the upstream does not like.
    place.session = undefined;
    identity.onFailed({ address: host, port, peerName, code });
  };
  const transport = new UpstreamTlsTransport(socket, receiver, onFailed);
  socket.once('secureConnect', () => {
    transport.secured = true;
    onConnected();
  });
  return transport;
}

/** What was noted of the handshake decides how its failures are told. */
class UpstreamTlsTransport extends EncryptedTransport {
  /** The handshake is over. */
  secured = false;
  readonly #onFailed: (code: string) => void;
  readonly #tls: TLSSocket;
  #isConnected = false;

  constructor(socket: TLSSocket, receiver: TransportReceiver, onFailed: (code: string) => void) {
    super(socket, receiver, false);
    this.#tls = socket;
    this.#onFailed = onFailed;
    socket.once('connect', () => {
      this.#isConnected = true;
    });
  }

  /**
   * Before the TCP connection is made the system's code counts; behind the handshake too, except for its late alerts. Whatever it is, nothing
   * that comes behind it can be read, and Node would leave the connection open: behind an alert, and behind a record that is none.
   */
  protected override noteFailure(code: string): void {
    if (this.secured ? isLateAlert(code) : this.#isConnected) {
      this.#onFailed(code);
      super.noteFailure(!this.secured && this.#tls.authorizationError ? TLS_FAILURE.certificate : TLS_FAILURE.handshake);
    } else {
      super.noteFailure(code);
    }
    this.socket.destroy();
  }
}

/** In TLS 1.3 the client's handshake is over before the server has looked at its certificate. */
export function isLateAlert(code: string): boolean {
  return /^ERR_SSL_.*ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)$/.test(
    code,
  );
}
