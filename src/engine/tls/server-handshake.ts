import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ErrorReason } from '../../errors/index.ts';
import { TlsTransport } from '../transport/tls-transport.ts';
import type { Transport, TransportReceiver } from '../transport/transport.ts';
import { ALERT, alertRecord } from './alert.ts';
import type { ClientHello } from './client-hello.ts';
import type { ClientTls } from './client-tls.ts';
import type { HandshakeEvents, PendingHandshake } from './handshake-events.ts';
import { HelloReader } from './hello-reader.ts';
import { readClientTls } from './read-client-tls.ts';
import type { ServerTerms, TlsChooser } from './server-terms.ts';

/**
 * The server's side of one handshake. The client's first message is read here, because what the client is asked for depends on the host
 * that it names; then the bytes are put back and OpenSSL makes the handshake.
 */
export class ServerHandshake implements PendingHandshake {
  readonly #plain: Socket;
  readonly #chooser: TlsChooser;
  readonly #events: HandshakeEvents;
  readonly #reader = new HelloReader();
  readonly #onPiece = (piece: Buffer): void => this.#read(piece);
  #hello: ClientHello | undefined;
  #over = false;

  constructor(plain: Socket, chooser: TlsChooser, events: HandshakeEvents) {
    this.#plain = plain;
    this.#chooser = chooser;
    this.#events = events;
    plain.on('error', (error: NodeJS.ErrnoException) => this.#fail('tls_client_gone', error.code));
    plain.on('close', () => this.#fail('tls_client_gone'));
    plain.once('end', () => this.fail('tls_client_gone'));
    plain.on('data', this.#onPiece);
  }

  /** Gives it up, e.g. because it takes too long. */
  fail(reason: ErrorReason): void {
    this.#fail(reason);
    this.#plain.destroy();
  }

  #read(piece: Buffer): void {
    const reading = this.#reader.push(piece);
    if (reading.kind === 'incomplete') return;
    this.#plain.off('data', this.#onPiece);
    this.#plain.pause();
    if (reading.kind === 'malformed') this.#refuse('tls_bad_hello', ALERT.decodeError);
    else this.#choose(reading.hello);
  }

  #choose(hello: ClientHello): void {
    this.#hello = hello;
    let terms: ServerTerms | undefined;
    try {
      terms = this.#chooser.termsFor(hello);
    } catch (error) {
      this.#refuse('tls_certificate_unusable', ALERT.internalError, error instanceof Error ? error.message : String(error));
      return;
    }
    if (terms === undefined) this.#refuse('tls_unknown_name', ALERT.unrecognizedName);
    else this.#begin(hello, terms);
  }

  #begin(hello: ClientHello, terms: ServerTerms): void {
    const plain = this.#plain;
    plain.unshift(this.#reader.bytes);
    const socket = new TLSSocket(plain, {
      isServer: true,
      secureContext: terms.secureContext,
      requestCert: terms.requestsCertificate,
      rejectUnauthorized: false,
      ALPNProtocols: [...terms.protocols],
    });
    const onError = (error: NodeJS.ErrnoException): void => {
      this.#fail('tls_handshake_failed', error.code);
      socket.destroy();
    };
    socket.on('error', onError);
    socket.on('_tlsError', onError);
    socket.once('close', () => this.#fail('tls_handshake_failed'));
    socket.once('secure', () => {
      if (this.#over) return;
      this.#over = true;
      socket.off('error', onError);
      socket.off('_tlsError', onError);
      this.#secured(socket, readClientTls(socket, hello, terms));
    });
  }

  #secured(socket: TLSSocket, tls: ClientTls): void {
    const open = (receiver: TransportReceiver): Transport => new TlsTransport(socket, this.#plain, receiver);
    this.#events.onSecured(tls, open);
  }

  #refuse(reason: ErrorReason, alert: number, detail?: string): void {
    this.#fail(reason, detail);
    this.#plain.end(alertRecord(alert), () => this.#plain.destroy());
  }

  #fail(reason: ErrorReason, detail?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.onFailed({ reason, detail, serverName: this.#hello?.serverName });
  }
}
