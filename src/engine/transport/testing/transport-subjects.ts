import { once } from 'node:events';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createTestCertificate } from '../../../../test-support/test-certificate.ts';
import { ByteStream } from '../../testing/byte-stream.ts';
import { fixedTerms } from '../../testing/fixed-terms.ts';
import type { AcceptedConnection } from '../accepted-connection.ts';
import { ClientListener } from '../client-listener.ts';
import { connectTransport } from '../connect-transport.ts';
import type { Transport } from '../transport.ts';
import type { TransportKind } from '../transport-kind.ts';
import { RecordingReceiver } from './recording-receiver.ts';

/** A transport with a plain socket of the test's at its other end. */
export interface TransportSubject {
  readonly transport: Transport;
  readonly receiver: RecordingReceiver;
  readonly peer: ByteStream;
  /** The TCP socket of the peer, below any encryption. */
  readonly peerSocket: Socket;
  readonly encrypted: boolean;
}

/** One way to come by a transport. */
export interface SubjectMaker {
  readonly name: string;
  readonly encrypted: boolean;
  make(test: TestContext): Promise<TransportSubject>;
}

const READ_BUFFER_BYTES = 64 * 1024;

/** Opens it, where it is to be encrypted behind the handshake. */
function open(accepted: AcceptedConnection, receiver: RecordingReceiver): Promise<Transport> {
  const { secure } = accepted;
  if (secure === undefined) return Promise.resolve(accepted.open(receiver));
  return new Promise((resolve, reject) => {
    secure({
      onSecured: (_tls, openSecured) => resolve(openSecured(receiver)),
      onFailed: ({ reason, detail }) => reject(new Error(`${reason} ${detail}`)),
    });
  });
}

/** A client's connection, as a server gets it. */
export function acceptedSubject(transport: TransportKind, encrypted = false): SubjectMaker {
  const make = async (test: TestContext): Promise<TransportSubject> => {
    const accepted = Promise.withResolvers<AcceptedConnection>();
    const listener = new ClientListener({
      transport,
      tls: encrypted ? fixedTerms(await createTestCertificate()) : undefined,
      readBuffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
      onAccepted: accepted.resolve,
      onFailure: accepted.reject,
    });
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
    const peerSocket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const socket = encrypted ? connectTls({ socket: peerSocket, rejectUnauthorized: false }) : peerSocket;
    const peer = new ByteStream(socket);
    const receiver = new RecordingReceiver();
    const made = await open(await accepted.promise, receiver);
    test.after(() => {
      listener.close();
      socket.destroy();
      peerSocket.destroy();
      made.destroy();
    });
    // Both ends have finished the handshake when something has come through.
    peer.send('hello');
    await receiver.whenReceived(5);
    receiver.forget();
    return { transport: made, receiver, peer, peerSocket, encrypted };
  };
  return { name: encrypted ? 'an encrypted connection' : `an accepted connection, ${transport}`, encrypted, make };
}

/** A connection to an upstream, not connected yet. */
export function connectingSubject(transport: TransportKind): SubjectMaker {
  const make = async (test: TestContext): Promise<TransportSubject> => {
    const accepted = Promise.withResolvers<Socket>();
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accepted.resolve);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const receiver = new RecordingReceiver();
    const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    const made = connectTransport({ transport, host: '127.0.0.1', port, readBuffer }, receiver, () => {});
    test.after(() => {
      server.close();
      made.destroy();
    });
    // Some is written before there is a connection, as to every fresh upstream.
    made.write(Buffer.from('early '));
    const peerSocket = await accepted.promise;
    test.after(() => peerSocket.destroy());
    const peer = new ByteStream(peerSocket);
    await peer.takeThrough('early ');
    await receiver.whenTold('flushed');
    receiver.forget();
    return { transport: made, receiver, peer, peerSocket, encrypted: false };
  };
  return { name: `a connection to an upstream, ${transport}`, encrypted: false, make };
}
