import { Socket, type SocketConstructorOpts } from 'node:net';
import { PatientSocket } from './patient-socket.ts';
import { PatientTransport } from './patient-transport.ts';
import { HandleTransport } from './quick-sockets.ts';
import type { Transport, TransportReceiver } from './transport.ts';
import type { TransportKind } from './transport-kind.ts';

export interface ConnectOptions {
  readonly transport: TransportKind;
  /** An IP literal. */
  readonly host: string;
  readonly port: number;
  /** All connections that share it are read one after the other: receivers copy what they keep. */
  readonly readBuffer: Buffer;
  /** Asked behind each read where the next one goes to; absent: always to `readBuffer`. */
  readonly nextReadBuffer?: () => Buffer;
}

/** Begins to connect. `onConnected` comes before anything the receiver hears, unless the attempt fails. */
export function connectTransport(options: ConnectOptions, receiver: TransportReceiver, onConnected: () => void): Transport {
  const { host, port, readBuffer, nextReadBuffer } = options;
  let buffer = readBuffer;
  const settings: SocketConstructorOpts = {
    noDelay: true,
    // In a tunnel one direction may end long before the other.
    allowHalfOpen: true,
    onread: {
      buffer: () => {
        if (nextReadBuffer !== undefined) buffer = nextReadBuffer();
        return buffer;
      },
      callback: (length) => {
        receiver.onBytes(buffer, length);
        return true;
      },
    },
  };
  const socket = options.transport === 'handle' ? new Socket(settings) : new PatientSocket(settings);
  socket.connect({ host, port });
  const transport = socket instanceof PatientSocket ? new PatientTransport(socket, receiver) : new HandleTransport(socket, receiver, true);
  socket.once('connect', onConnected);
  return transport;
}
