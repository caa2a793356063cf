import type { Socket } from 'node:net';
import { resetSocket } from './reset-socket.ts';
import { takenBytes } from './taken-bytes.ts';
import type { Transport, TransportReceiver } from './transport.ts';

const NOTHING = Buffer.alloc(0);

/**
 * A transport on a plain TCP socket, by documented interfaces only.
 *
 * After `write`, a `writableLength` of 0 means that the kernel took everything during the call. That the bytes may then be
 * reused holds for plain TCP sockets; it is observed rather than promised, and the tests of the engine compare bytes under slow
 * readers because of it. A socket that encrypts must copy instead.
 */
export class SocketTransport implements Transport {
  protected readonly socket: Socket;
  protected readonly receiver: TransportReceiver;
  readonly #onFlushed: (failure?: Error | null) => void;
  #failure: string | undefined = undefined;
  #awaitsFlush = false;
  #paused = false;
  #closed = false;

  /** `reads`: whether bytes come as `data` events; a socket made with `onread` hands them to the receiver itself. */
  constructor(socket: Socket, receiver: TransportReceiver, reads: boolean) {
    this.socket = socket;
    this.receiver = receiver;
    this.#onFlushed = (failure) => this.#flushed(failure);
    if (reads) socket.on('data', (bytes: Buffer) => receiver.onBytes(bytes, bytes.length));
    socket.on('end', () => {
      if (!this.#closed) this.ended();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => this.noteFailure(error.code ?? 'UNKNOWN'));
    socket.on('close', () => {
      if (this.#closed) return;
      this.#closed = true;
      receiver.onClose(this.#failure);
    });
  }

  get pendingBytes(): number {
    return this.socket.writableLength;
  }

  get takenBytes(): number {
    return takenBytes(this.socket);
  }

  write(bytes: Buffer): boolean {
    const socket = this.socket;
    if (!socket.writable) return true;
    socket.write(bytes);
    if (socket.writableLength === 0) return true;
    this.#awaitFlush();
    return false;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    resetSocket(this.socket);
  }

  /** Lets go of the socket, which gives whoever takes it over `unread` again. The receiver hears nothing any more. */
  handOver(unread: Buffer): Socket {
    const socket = this.socket;
    this.#closed = true;
    socket.removeAllListeners('data');
    socket.pause();
    if (unread.length > 0) socket.unshift(unread);
    return socket;
  }

  /** The system's error code that `onClose` will tell; the first counts. */
  protected noteFailure(code: string): void {
    this.#failure ??= code;
  }

  /** The peer sends nothing more. */
  protected ended(): void {
    this.receiver.onEnd();
  }

  /** All that was written through the socket has been taken. */
  protected flushed(): void {
    this.receiver.onFlushed();
  }

  /** `drain` only follows writes above the high-water mark; the callback of an empty write comes behind any. */
  #awaitFlush(): void {
    if (this.#awaitsFlush || !this.socket.writable) return;
    this.#awaitsFlush = true;
    this.socket.write(NOTHING, this.#onFlushed);
  }

  #flushed(failure: Error | null | undefined): void {
    this.#awaitsFlush = false;
    if (this.#closed || (failure !== undefined && failure !== null)) return;
    if (this.socket.writableLength > 0) this.#awaitFlush();
    else this.flushed();
  }
}
