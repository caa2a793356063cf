import dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import type { CancelTask, Clock } from '../../lib/clock.ts';
import { stopReceiving } from '../../lib/udp-handle.ts';
import { type ConnectionAdmission, UNLIMITED } from '../connection-admission.ts';
import type { ClientConnection } from '../exchange.ts';
import { type DatagramContext, DatagramSession } from './datagram-session.ts';
import type { StreamHandler } from './stream-plan.ts';

const SWEEP_MS = 500;
/** A session may give way to a new one when it has been quiet for so long. */
const GIVES_WAY_AFTER_MS = 1000;
/** In a drain a session ends when it has been quiet for so long. */
const DRAINED_AFTER_MS = 2000;
/** Answers that wait for the kernel beyond this are dropped, as a full queue on the way would do. */
const MOST_QUEUED_BYTES = 4 * 1024 * 1024;

/** A descriptor bound before with the address it was bound to, or an address to bind. */
export type DatagramAddress =
  | { readonly fd: number; readonly host: string }
  | { readonly host: string; readonly port: number; readonly reusePort?: boolean };

export interface DatagramServerOptions {
  readonly handler: StreamHandler;
  readonly clock: Clock;
  /** Asked about each session, which counts as a client's connection and as one to an upstream. */
  readonly admission?: ConnectionAdmission;
  /** Most sessions at once, whatever `admission` would let in: anybody can make up any number of addresses. */
  readonly mostSessions?: number;
  /** Hears what the handler or a socket threw. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * UDP on any number of sockets. What comes from one address and port is a session, as long as there is traffic; each session has its own
 * node, and answers go back to where it came from. The kernel gives all datagrams of a client to the same one of several sockets that share
 * a port, so a session lies in one worker.
 */
export class DatagramServer {
  readonly #context: DatagramContext;
  readonly #mostSessions: number;
  readonly #sockets: BoundDatagramSocket[] = [];
  #idleWaiters: (() => void)[] = [];
  #cancelSweep: CancelTask | undefined = undefined;
  #draining = false;

  constructor({ handler, clock, admission = UNLIMITED, mostSessions, onFailure = () => {} }: DatagramServerOptions) {
    this.#context = { handler, clock, admission, onFailure };
    this.#mostSessions = mostSessions ?? Number.POSITIVE_INFINITY;
  }

  get openSessions(): number {
    return this.#sockets.reduce((sum, { sessions }) => sum + sessions.size, 0);
  }

  /** Begins to receive; may be called for several addresses. Rejects with the system's error where the address cannot be had. */
  async listen(where: DatagramAddress): Promise<{ readonly port: number }> {
    const socket = await BoundDatagramSocket.bind(where, this.#context, {
      hasRoom: () => this.openSessions < this.#mostSessions,
      givesWay: () => this.#givesWay(),
      onBegun: () => {
        this.#cancelSweep ??= this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
      },
      onGone: () => this.#checkIdle(),
    });
    this.#sockets.push(socket);
    return { port: socket.port };
  }

  /** Leaves what clients send to others that share the sockets; sessions go on with what their nodes still answer, and end when they are quiet. */
  stopAccepting(): void {
    this.#draining = true;
    for (const socket of this.#sockets) socket.stop();
  }

  /** Resolves when no session is open. */
  whenIdle(): Promise<void> {
    if (this.openSessions === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Ends every session at once. */
  destroyAll(): void {
    for (const { sessions } of this.#sockets) for (const session of [...sessions.values()]) session.end('drain_timeout');
  }

  /** Closes the sockets. Comes last. */
  close(): void {
    this.destroyAll();
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  #givesWay(): DatagramSession | undefined {
    for (const socket of this.#sockets) {
      const session = socket.givesWay();
      if (session !== undefined) return session;
    }
    return undefined;
  }

  #checkIdle(): void {
    if (this.openSessions > 0) return;
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #sweep(): void {
    this.#cancelSweep = undefined;
    const nowMs = this.#context.clock.monotonicMs();
    for (const { sessions } of this.#sockets) {
      for (const session of [...sessions.values()]) {
        session.checkDeadlines(nowMs);
        if (this.#draining && nowMs - session.activeAtMs >= DRAINED_AFTER_MS) session.end(undefined);
      }
    }
    if (this.openSessions > 0) this.#cancelSweep = this.#context.clock.schedule(SWEEP_MS, () => this.#sweep());
  }
}

type Refusal = ReturnType<ConnectionAdmission['admitClient']>;

interface SocketListener {
  /** Whether the server may have one more session. */
  readonly hasRoom: () => boolean;
  /** A session of any socket that may end for a new one. */
  readonly givesWay: () => DatagramSession | undefined;
  readonly onBegun: () => void;
  readonly onGone: () => void;
}

/** One socket that clients write to, with its sessions: the one that has been quiet longest first. */
class BoundDatagramSocket {
  readonly port: number;
  readonly sessions = new Map<string, DatagramSession>();
  readonly #socket: dgram.Socket;
  readonly #context: DatagramContext;
  readonly #listener: SocketListener;
  readonly #localAddress: string | undefined;

  private constructor(socket: dgram.Socket, context: DatagramContext, listener: SocketListener) {
    const { port, address } = socket.address();
    this.#socket = socket;
    this.#context = context;
    this.#listener = listener;
    this.port = port;
    const local = canonicalAddress(address) ?? address;
    // Which of the machine's addresses a datagram was sent to is not told.
    this.#localAddress = local === '::' || local === '0.0.0.0' ? undefined : local;
    socket.on('message', (datagram, from) => this.#received(datagram, from.address, from.port));
    socket.on('error', context.onFailure);
  }

  static bind(where: DatagramAddress, context: DatagramContext, listener: SocketListener): Promise<BoundDatagramSocket> {
    return new Promise((resolve, reject) => {
      const type = isIPv6(where.host) ? 'udp6' : 'udp4';
      const socket = dgram.createSocket({ type, reusePort: 'port' in where && where.reusePort === true });
      socket.once('error', reject);
      const bound = (): void => {
        socket.off('error', reject);
        resolve(new BoundDatagramSocket(socket, context, listener));
      };
      if ('fd' in where) socket.bind({ fd: where.fd }, bound);
      else socket.bind({ address: where.host, port: where.port, exclusive: true }, bound);
    });
  }

  /** Where receiving alone cannot be stopped, the whole socket goes. */
  stop(): void {
    if (!stopReceiving(this.#socket)) this.close();
  }

  close(): void {
    try {
      this.#socket.close();
    } catch {
      // Closed already.
    }
  }

  #received(datagram: Buffer, address: string, port: number): void {
    const key = `${address} ${port}`;
    const known = this.sessions.get(key);
    if (known !== undefined) {
      this.#noteActive(key, known);
      known.fromClient(datagram);
      return;
    }
    const canonical = canonicalAddress(address) ?? address;
    const refusal = this.#admit(canonical);
    if (refusal !== undefined) {
      this.#context.admission.refused(refusal);
      return;
    }
    const session = new DatagramSession(
      this.#context,
      {
        connection: this.#clientOf(canonical, port),
        reply: (answer) => {
          this.#noteActive(key, session);
          this.#reply(answer, address, port);
        },
      },
      () => {
        this.sessions.delete(key);
        this.#context.admission.clientGone(canonical);
        this.#listener.onGone();
      },
    );
    this.sessions.set(key, session);
    this.#listener.onBegun();
    session.fromClient(datagram);
    session.begin();
  }

  /** The session that has been quiet longest, if that is long enough. */
  givesWay(): DatagramSession | undefined {
    const [quietest] = this.sessions.values();
    if (quietest === undefined || this.#context.clock.monotonicMs() - quietest.activeAtMs < GIVES_WAY_AFTER_MS) return undefined;
    return quietest;
  }

  /** Counts the session, if need be in place of one that has been quiet, rather of this socket than of another: a flood costs its own port first. */
  #admit(address: string): Refusal {
    const refusal = this.#take(address);
    if (refusal !== 'too_many_connections') return refusal;
    const quiet = this.givesWay() ?? this.#listener.givesWay();
    if (quiet === undefined) return refusal;
    quiet.end('too_many_connections');
    return this.#take(address);
  }

  #take(address: string): Refusal {
    return this.#listener.hasRoom() ? this.#context.admission.admitClient(address) : 'too_many_connections';
  }

  #noteActive(key: string, session: DatagramSession): void {
    this.sessions.delete(key);
    this.sessions.set(key, session);
  }

  #clientOf(remoteAddress: string, remotePort: number): ClientConnection {
    return {
      remoteAddress,
      remotePort,
      localPort: this.port,
      localAddress: () => this.#localAddress,
      encrypted: false,
      tls: undefined,
      httpVersion: 1,
      context: undefined,
    };
  }

  #reply(datagram: Buffer, address: string, port: number): void {
    try {
      if (this.#socket.getSendQueueSize() > MOST_QUEUED_BYTES) return;
      this.#socket.send(datagram, port, address, () => {});
    } catch {
      // The socket was closed meanwhile: the answer is lost, as datagrams may be.
    }
  }
}
