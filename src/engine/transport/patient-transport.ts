import type { PatientSocket } from './patient-socket.ts';
import { SocketTransport } from './socket-transport.ts';
import type { TransportReceiver } from './transport.ts';

/** As `SocketTransport`; after a failed write what was written counts as pending, and the rest of what the peer sent still arrives. */
export class PatientTransport extends SocketTransport {
  readonly #socket: PatientSocket;

  /** `socket` was made with `onread`. */
  constructor(socket: PatientSocket, receiver: TransportReceiver) {
    super(socket, receiver, false);
    this.#socket = socket;
  }

  override get pendingBytes(): number {
    return this.#socket.broken ? Math.max(1, super.pendingBytes) : super.pendingBytes;
  }

  override write(bytes: Buffer): boolean {
    return super.write(bytes) && !this.#socket.broken;
  }
}
