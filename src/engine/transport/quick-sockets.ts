// The one file that uses what Node does without promising it: the handle behind a socket and behind a server, and a socket made
// around a handle. Each use is guarded by type here and by behaviour in the start-up self-check.
import { type Server, Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { AcceptedConnection } from './accepted-connection.ts';
import { SocketTransport } from './socket-transport.ts';
import type { Transport, TransportReceiver } from './transport.ts';

/** A write that the kernel has not taken in full. Made by Node, which calls `oncomplete` and needs `buffer` to keep the bytes alive. */
interface PendingWrite {
  /** Set when the write came to its end before `oncomplete` could be set. */
  writeStatus?: number | null;
  buffer?: Buffer | undefined;
  byteLength?: number;
  oncomplete?: (this: PendingWrite, status: number) => void;
  transport?: HandleTransport | undefined;
}

/** Node's own handle of a TCP connection. */
interface TcpHandle {
  /** 0: the kernel has everything. Another number: the system's error, negative. An object: under way. */
  writeBuffer(request: null, bytes: Buffer): number | PendingWrite;
  getpeername(out: PeerName): number;
  getsockname(out: PeerName): number;
  setNoDelay(on: boolean): number;
  close(): void;
  /** All that was read so far. */
  readonly bytesRead: number;
  /** What is called behind each read; there is none before a socket was made for the handle. */
  onread?: unknown;
}

/** Takes `length` bytes that were read into the buffer in use. What it returns takes that buffer's place from the next read on. */
export type TakeRead = (length: number) => Buffer | undefined;

interface PeerName {
  address?: string;
  port?: number;
}

/** Node's own handle of a listening socket. */
interface ListeningHandle {
  onconnection: (this: unknown, error: number, handle: unknown) => void;
}

/** Hands every connection that `server` accepts over before a socket is made for it. Throws where this Node does not allow it. */
export function takeConnections(
  server: Server,
  readBuffer: Buffer,
  writesToHandle: boolean,
  take: (connection: AcceptedConnection) => void,
): void {
  const listening: unknown = Reflect.get(server, '_handle');
  if (!isListeningHandle(listening)) throw new Error('a server has no handle that can be taken over');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a server has no port');
  const { port } = address;
  const accept = listening.onconnection;
  listening.onconnection = function onConnection(error, handle): void {
    if (error !== 0 && error !== undefined) accept.call(this, error, handle);
    else if (isTcpHandle(handle)) take(new HandleConnection(handle, port, readBuffer, writesToHandle));
    else accept.call(this, error, handle);
  };
}

/** An accepted connection of which there is only the handle yet. */
class HandleConnection implements AcceptedConnection {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;
  readonly localPort: number;
  readonly secure = undefined;
  readonly #handle: TcpHandle;
  readonly #readBuffer: Buffer;
  readonly #writesToHandle: boolean;

  constructor(handle: TcpHandle, localPort: number, readBuffer: Buffer, writesToHandle: boolean) {
    const peer: PeerName = {};
    handle.getpeername(peer);
    this.remoteAddress = peer.address;
    this.remotePort = peer.port ?? 0;
    this.localPort = localPort;
    this.#handle = handle;
    this.#readBuffer = readBuffer;
    this.#writesToHandle = writesToHandle;
  }

  localAddress(): string | undefined {
    const own: PeerName = {};
    return this.#handle.getsockname(own) === 0 ? own.address : undefined;
  }

  open(receiver: TransportReceiver): Transport {
    const handle = this.#handle;
    const readBuffer = this.#readBuffer;
    handle.setNoDelay(true);
    const callback = (length: number): boolean => {
      receiver.onBytes(readBuffer, length);
      return true;
    };
    // The type of Node's options has no place for a handle that was accepted.
    const options: object = { handle, onread: { buffer: readBuffer, callback }, allowHalfOpen: true };
    const socket = new Socket(options);
    if (!this.#writesToHandle) return new SocketTransport(socket, receiver, false);
    return new HandleTransport(socket, receiver, (length) => {
      receiver.onBytes(readBuffer, length);
      return undefined;
    });
  }

  refuse(): void {
    this.#handle.close();
  }
}

/**
 * A transport on a plain TCP socket that reads from and writes to the socket's handle. What arrives in the socket's own buffer, and
 * what the kernel takes at once, as it nearly always does, never passes the socket's stream; that saves about a third of a
 * microsecond a read or write, and the garbage. Everything else is left to the socket.
 */
export class HandleTransport extends SocketTransport {
  /** Undefined while the socket connects and from the moment on when nothing more is to be written. */
  #handle: TcpHandle | undefined = undefined;
  #pending = 0;
  /** Something written before it was connected waits in the socket: what follows must queue behind it. */
  #streamPending = false;
  readonly #take: TakeRead;
  readonly #readsOn: boolean;
  /** Nothing more can be sent; what is written counts as pending for ever. */
  #broken = false;

  /**
   * `socket` was made with `onread`, whose callback is left out where `take` can be called in its place. `readsOn`: a failed write does
   * not end the connection before all is read that the peer said before it closed.
   */
  constructor(socket: Socket, receiver: TransportReceiver, take: TakeRead, readsOn = false) {
    super(socket, receiver, false);
    this.#take = take;
    this.#readsOn = readsOn;
    if (socket.connecting) socket.once('connect', () => this.#takeHandle());
    else this.#takeHandle();
  }

  override get pendingBytes(): number {
    if (this.#handle === undefined && this.#broken) return Math.max(1, this.#pending);
    return this.#streamPending ? this.#pending + super.pendingBytes : this.#pending;
  }

  override write(bytes: Buffer): boolean {
    const handle = this.#handle;
    if (handle === undefined && this.#broken) return false;
    if (handle === undefined || this.#streamPending) return this.#writeToStream(bytes);
    const outcome = handle.writeBuffer(null, bytes);
    if (outcome === 0) return true;
    // Asked only here, where the handle takes nothing any more: it is a getter, which costs as much as the rest of this.
    if (this.socket.destroyed) return true;
    if (typeof outcome === 'number') {
      this.#fail(outcome);
      return !this.#broken;
    }
    return this.#await(outcome, bytes);
  }

  override end(): void {
    // Node shuts the handle down behind the writes that are under way.
    this.#handle = undefined;
    super.end();
  }

  override destroy(): void {
    this.#handle = undefined;
    super.destroy();
  }

  override reset(): void {
    this.#handle = undefined;
    super.reset();
  }

  /** For `PendingWrite` alone: one has come to its end. */
  onWritten(length: number, status: number): void {
    this.#pending -= length;
    if (status < 0) this.#fail(status);
    else if (this.#pending === 0 && !this.#streamPending && !this.#broken && !this.socket.destroyed) this.receiver.onFlushed();
  }

  protected override flushed(): void {
    this.#streamPending = false;
    if (this.#pending === 0) super.flushed();
  }

  /** A failed write takes the socket's error with it, and what is left of a reset looks like an end. */
  protected override ended(): void {
    if (this.#broken) this.socket.destroy();
    else super.ended();
  }

  #takeHandle(): void {
    const handle: unknown = Reflect.get(this.socket, '_handle');
    if (!isTcpHandle(handle)) return;
    this.#handle = handle;
    takeReads(handle, this.#take);
  }

  #writeToStream(bytes: Buffer): boolean {
    if (super.write(bytes)) return true;
    this.#streamPending = true;
    return false;
  }

  #await(write: PendingWrite, bytes: Buffer): boolean {
    const status = write.writeStatus;
    if (typeof status === 'number') {
      write.writeStatus = null;
      if (status < 0) this.#fail(status);
      return !this.#broken;
    }
    write.buffer = bytes;
    write.byteLength = bytes.length;
    write.transport = this;
    write.oncomplete = onWriteComplete;
    this.#pending += bytes.length;
    return false;
  }

  #fail(status: number): void {
    this.#handle = undefined;
    if (this.socket.destroyed || this.#broken) return;
    this.noteFailure(getSystemErrorName(status));
    if (!this.#readsOn) {
      this.socket.destroy();
      return;
    }
    this.#broken = true;
  }
}

function onWriteComplete(this: PendingWrite, status: number): void {
  const length = this.byteLength ?? 0;
  const transport = this.transport;
  this.transport = undefined;
  this.buffer = undefined;
  transport?.onWritten(length, status);
}

/**
 * Has `take` called behind each read from `handle`, in place of the stream's function. What is no data, an end or a failure, goes to that as
 * ever; so does everything where this Node does not let its function be replaced.
 */
function takeReads(handle: TcpHandle, take: TakeRead): void {
  const readByStream: unknown = handle.onread;
  let takenBytes = handle.bytesRead;
  if (typeof readByStream !== 'function' || typeof takenBytes !== 'number') return;
  handle.onread = (...given: unknown[]): unknown => {
    const length = handle.bytesRead - takenBytes;
    if (length === 0) return Reflect.apply(readByStream, handle, given);
    takenBytes += length;
    return take(length);
  };
}

/**
 * Whether this Node's streams write to handles in the form that `HandleTransport` does. It is learned by watching `socket` do a
 * write of its own: an older Node ends the process when its handle is written to in this form.
 */
export function writesToHandles(socket: Socket): boolean {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (!isTcpHandle(handle)) return false;
  let request: unknown;
  const writeBuffer: unknown = handle.writeBuffer;
  if (typeof writeBuffer !== 'function') return false;
  const watch = (...given: unknown[]): unknown => {
    request = given[0];
    return Reflect.apply(writeBuffer, handle, given);
  };
  Reflect.set(handle, 'writeBuffer', watch);
  socket.write(Buffer.from('?'));
  Reflect.deleteProperty(handle, 'writeBuffer');
  return request === null;
}

function isListeningHandle(value: unknown): value is ListeningHandle {
  return typeof value === 'object' && value !== null && 'onconnection' in value && typeof value.onconnection === 'function';
}

function isTcpHandle(value: unknown): value is TcpHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['writeBuffer', 'getpeername', 'getsockname', 'setNoDelay', 'close'].every((name) => typeof Reflect.get(value, name) === 'function')
  );
}
