import { Socket } from 'node:net';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import { connectTlsTransport, type SessionPlace } from './connect-tls-transport.ts';
import { PatientSocket } from './patient-socket.ts';
import { PatientTransport } from './patient-transport.ts';
import { HandleTransport, type TakeRead } from './quick-sockets.ts';
import type { Transport, TransportReceiver } from './transport.ts';
import type { TransportKind } from './transport-kind.ts';

export interface ConnectOptions {
  readonly transport: TransportKind;
  /** An IP literal. */
  readonly host: string;
  readonly port: number;
  /** All connections that share it are read one after the other: receivers copy what they keep. */
  readonly readBuffer: Buffer;
  /** The connection is encrypted, and driven by documented interfaces whatever `transport` says. */
  readonly tls?: { readonly settings: UpstreamTls; readonly place: SessionPlace } | undefined;
  /** Asked behind each read where the next one goes to; absent: always to `readBuffer`. */
  readonly nextReadBuffer?: () => Buffer;
}

/** Begins to connect. `onConnected` comes before anything the receiver hears, unless the attempt fails. */
export function connectTransport(options: ConnectOptions, receiver: TransportReceiver, onConnected: () => void): Transport {
  const { host, port, readBuffer, nextReadBuffer, tls } = options;
  if (tls !== undefined) return connectTlsTransport(options, tls.settings, tls.place, receiver, onConnected);
  const isQuick = options.transport === 'handle';
  let buffer: Buffer | undefined;
  const nextBuffer = (): Buffer | undefined => {
    const next = nextReadBuffer === undefined ? readBuffer : nextReadBuffer();
    // Undocumented: without a buffer Node stays with the one it has, and does not look up again where its bytes lie (0.3 µs a read).
    if (next === buffer && isQuick) return undefined;
    buffer = next;
    return next;
  };
  const take = (length: number): void => receiver.onBytes(buffer ?? readBuffer, length);
  const callback = (length: number): boolean => {
    take(length);
    return true;
  };
  // In a tunnel one direction may end long before the other. The type of Node's options knows no way to leave the buffer in place.
  const settings: object = { noDelay: true, allowHalfOpen: true, onread: { buffer: nextBuffer, callback } };
  const socket = isQuick ? new Socket(settings) : new PatientSocket(settings);
  socket.connect({ host, port });
  const takeRead: TakeRead = (length) => {
    take(length);
    return nextBuffer();
  };
  const transport =
    socket instanceof PatientSocket ? new PatientTransport(socket, receiver) : new HandleTransport(socket, receiver, takeRead, true);
  socket.once('connect', onConnected);
  return transport;
}
