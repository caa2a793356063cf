import dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import { ERROR_CODES, type ErrorReason } from '../../errors/index.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ConnectionAdmission } from '../connection-admission.ts';
import type { ClientConnection, UpstreamTarget } from '../exchange.ts';
import { connectFailureReason } from '../upstream/connect-failure.ts';
import { askOwner } from './ask-owner.ts';
import type { StreamFacts, StreamHandler, StreamOwner, StreamPlan } from './stream-plan.ts';

/** Datagrams of a client that wait for the decision, or may be needed for another node, until the upstream has answered. */
const MOST_KEPT = 16;
const MOST_KEPT_BYTES = 64 * 1024;
/** What the kernel does not take of either side is dropped beyond this, as a full queue on the way would do. */
const MOST_QUEUED_BYTES = 1024 * 1024;
/** The longest quiet time of a session that its node has not answered yet: sender addresses can be made up. */
const UNANSWERED_IDLE_MS = 5000;

/** What all sessions of a datagram server share. */
export interface DatagramContext {
  readonly clock: Clock;
  readonly handler: StreamHandler;
  readonly admission: ConnectionAdmission;
  readonly onFailure: (error: unknown) => void;
}

/** The client's side of a session. */
export interface DatagramClient {
  readonly connection: ClientConnection;
  /** Sends it a datagram. */
  reply(datagram: Buffer): void;
}

/**
 * The datagrams between one client's address and port and the node it was given. It has a socket of its own towards the node, which takes
 * datagrams of that node alone; answers leave by the socket that the client wrote to.
 */
export class DatagramSession implements StreamFacts {
  readonly protocol = 'udp';
  readonly client: ClientConnection;
  readonly startedAtMs: number;
  target: UpstreamTarget | undefined = undefined;
  attempts = 0;
  bytesFromClient = 0;
  bytesToClient = 0;
  decidedAtMs = 0;
  connectedAtMs = 0;
  firstByteAtMs = 0;
  finishedAtMs = 0;
  reason: ErrorReason | undefined = undefined;
  /** Monotonic time of the last datagram, of either side. */
  activeAtMs: number;
  readonly #context: DatagramContext;
  readonly #owner: StreamOwner;
  readonly #reply: DatagramClient['reply'];
  readonly #onGone: (session: DatagramSession) => void;
  #plan: StreamPlan | undefined = undefined;
  #firstFailure: ErrorReason | undefined = undefined;
  #socket: dgram.Socket | undefined = undefined;
  #isConnected = false;
  #isAnswered = false;
  #over = false;
  /** What the client has sent, as long as it may have to be sent to another node. */
  #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(context: DatagramContext, { connection, reply }: DatagramClient, onGone: (session: DatagramSession) => void) {
    this.#context = context;
    this.client = connection;
    this.#reply = reply;
    this.#onGone = onGone;
    this.startedAtMs = context.clock.monotonicMs();
    this.activeAtMs = this.startedAtMs;
    this.#owner = context.handler.accepted(connection, this.protocol);
  }

  /** Asks where the session goes to. */
  begin(): void {
    askOwner(
      this.#owner,
      (decision) => this.#decided(decision),
      (error) => this.#decisionFailed(error),
    );
  }

  /** A datagram of the client; the bytes are the session's from now on. */
  fromClient(datagram: Buffer): void {
    if (this.#over) return;
    this.activeAtMs = this.#context.clock.monotonicMs();
    this.bytesFromClient += datagram.length;
    if (!this.#isAnswered && this.#kept.length < MOST_KEPT && this.#keptBytes + datagram.length <= MOST_KEPT_BYTES) {
      this.#kept.push(datagram);
      this.#keptBytes += datagram.length;
    }
    if (this.#isConnected) this.#send(datagram);
  }

  checkDeadlines(nowMs: number): void {
    if (this.#plan === undefined) return;
    const { idleTimeoutMs } = this.#plan;
    const longestMs = this.#isAnswered ? idleTimeoutMs : Math.min(idleTimeoutMs, UNANSWERED_IDLE_MS);
    if (nowMs - this.activeAtMs >= longestMs) this.end(undefined);
  }

  /** Ends the session; what comes later from the client begins another one. */
  end(reason: ErrorReason | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.reason = reason;
    this.finishedAtMs = this.#context.clock.monotonicMs();
    this.#kept = [];
    this.#closeSocket();
    this.#onGone(this);
    this.#owner.ended(this);
  }

  #decided(decision: StreamPlan | ErrorReason): void {
    if (this.#over) return;
    this.decidedAtMs = this.#context.clock.monotonicMs();
    if (typeof decision === 'string') {
      this.end(decision);
      return;
    }
    this.#plan = decision;
    this.#connect(undefined);
  }

  #decisionFailed(error: unknown): void {
    this.end('internal');
    this.#context.onFailure(error);
  }

  /** Asks the next node; what is thrown meanwhile ends the session alone. */
  #connect(previousFailure: ErrorReason | undefined): void {
    try {
      this.#connectNext(previousFailure);
    } catch (error) {
      this.#decisionFailed(error);
    }
  }

  #connectNext(previousFailure: ErrorReason | undefined): void {
    const target = this.#owner.nextTarget(this.attempts, previousFailure);
    if (typeof target === 'string') {
      this.end(this.#firstFailure ?? target);
      return;
    }
    this.target = target;
    this.attempts++;
    const { admission } = this.#context;
    const refusal = admission.admitUpstream();
    if (refusal !== undefined) {
      admission.refused(refusal);
      this.end(refusal);
      return;
    }
    this.#open(target);
  }

  #open({ address, port }: UpstreamTarget): void {
    const { admission } = this.#context;
    const family = isIPv6(address) ? 6 : 4;
    const socket = dgram.createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Nothing is looked up: the node's address is an IP literal, and so is that of the implicit bind, which asks here too.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    this.#socket = socket;
    socket.on('message', (datagram) => this.#fromUpstream(socket, datagram));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#failed(socket, error.code));
    socket.on('close', () => admission.upstreamGone());
    // The callback is given the error where the kernel refuses the address, which the types do not tell.
    socket.connect(port, address, (error?: NodeJS.ErrnoException) => {
      if (error) this.#failed(socket, error.code);
      else this.#connected(socket);
    });
  }

  #connected(socket: dgram.Socket): void {
    if (socket !== this.#socket) return;
    this.#isConnected = true;
    this.connectedAtMs = this.#context.clock.monotonicMs();
    for (const datagram of this.#kept) this.#send(datagram);
  }

  #send(datagram: Buffer): void {
    const socket = this.#socket;
    // Not connected: a datagram before this one has failed, and the socket is another node's already.
    if (socket === undefined || !this.#isConnected || socket.getSendQueueSize() > MOST_QUEUED_BYTES) return;
    try {
      socket.send(datagram, (error) => {
        // Too large for the way, or no room: lost, as datagrams may be.
        if (error !== null && 'code' in error && error.code === 'ECONNREFUSED') this.#failed(socket, 'ECONNREFUSED');
      });
    } catch {
      this.#failed(socket, undefined);
    }
  }

  #fromUpstream(socket: dgram.Socket, datagram: Buffer): void {
    if (socket !== this.#socket) return;
    this.activeAtMs = this.#context.clock.monotonicMs();
    if (!this.#isAnswered) {
      this.#isAnswered = true;
      this.firstByteAtMs = this.activeAtMs;
      this.#kept = [];
      this.#owner.reached();
    }
    this.bytesToClient += datagram.length;
    this.#reply(datagram);
  }

  /** The node has told that nobody listens there: another may have what was sent so far, unless it had answered before. */
  #failed(socket: dgram.Socket, code: string | undefined): void {
    if (socket !== this.#socket || this.#over) return;
    this.#closeSocket();
    const reason = connectFailureReason(code);
    this.#firstFailure ??= reason;
    if (!this.#isAnswered && ERROR_CODES[reason].retry === 'yes') this.#connect(reason);
    else this.end(reason);
  }

  #closeSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isConnected = false;
    socket?.close();
  }
}
