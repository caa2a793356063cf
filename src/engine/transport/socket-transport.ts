import type { Socket } from 'node:net';
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
  readonly #socket: Socket;
  readonly #receiver: TransportReceiver;
  readonly #onFlushed: (failure?: Error | null) => void;
  #failure: string | undefined = undefined;
  #awaitsFlush = false;
  #paused = false;

  /** `reads`: whether bytes come as `data` events; a socket made with `onread` hands them to the receiver itself. */
  constructor(socket: Socket, receiver: TransportReceiver, reads: boolean) {
    this.#socket = socket;
    this.#receiver = receiver;
    this.#onFlushed = (failure) => this.#flushed(failure);
    if (reads) socket.on('data', (bytes: Buffer) => receiver.onBytes(bytes, bytes.length));
    socket.on('end', () => receiver.onEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#failure ??= error.code ?? 'UNKNOWN';
    });
    socket.on('close', () => receiver.onClose(this.#failure));
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    socket.write(bytes);
    if (socket.writableLength === 0) return true;
    this.#awaitFlush();
    return false;
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** `drain` only follows writes above the high-water mark; the callback of an empty write comes behind any. */
  #awaitFlush(): void {
    if (this.#awaitsFlush || !this.#socket.writable) return;
    this.#awaitsFlush = true;
    this.#socket.write(NOTHING, this.#onFlushed);
  }

  #flushed(failure: Error | null | undefined): void {
    this.#awaitsFlush = false;
    if (failure !== undefined && failure !== null) return;
    if (this.#socket.writableLength > 0) this.#awaitFlush();
    else this.#receiver.onFlushed();
  }
}
