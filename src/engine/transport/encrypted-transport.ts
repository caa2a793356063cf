import type { TLSSocket } from 'node:tls';
import { SocketTransport } from './socket-transport.ts';
import type { TransportReceiver } from './transport.ts';

/**
 * A transport on a socket that encrypts, at either side. It takes nothing during the call: each write tells by itself when it was taken,
 * where `SocketTransport` would send another one behind it (8 % of the CPU time of a request whose answer is short).
 */
export class EncryptedTransport extends SocketTransport {
  readonly #onTaken: (failure?: Error | null) => void;
  /** Writes that have not told yet. */
  #pendingWrites = 0;

  constructor(socket: TLSSocket, receiver: TransportReceiver, reads: boolean) {
    super(socket, receiver, reads);
    this.#onTaken = (failure) => {
      this.#pendingWrites--;
      if (this.#pendingWrites > 0 || socket.destroyed || (failure !== undefined && failure !== null)) return;
      this.flushed();
    };
  }

  override get pendingBytes(): number {
    return this.#pendingWrites === 0 ? 0 : Math.max(1, super.pendingBytes);
  }

  /** What encrypts may read the bytes later, so it gets a copy, and the caller may always reuse its own. */
  override write(bytes: Buffer): boolean {
    if (!this.socket.writable) return true;
    this.give(Buffer.from(bytes));
    return false;
  }

  give(bytes: Buffer): void {
    const { socket } = this;
    if (!socket.writable) return;
    this.#pendingWrites++;
    socket.write(bytes, this.#onTaken);
  }
}
