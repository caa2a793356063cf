import { createServer, type Server, type Socket } from 'node:net';
import type { ProxiedClient } from '../proxy-protocol/proxy-header.ts';
import { ProxyPreludes, type ProxyTrust } from '../proxy-protocol/proxy-preludes.ts';
import type { HandshakeEvents, PendingHandshake } from '../tls/handshake-events.ts';
import type { TlsChooser } from '../tls/server-terms.ts';
import type { AcceptedConnection } from './accepted-connection.ts';
import { takeConnections } from './quick-sockets.ts';
import { SocketTransport } from './socket-transport.ts';
import type { Transport, TransportReceiver } from './transport.ts';
import type { TransportKind } from './transport-kind.ts';

/** A descriptor bound before, or an address to bind. `reusePort` lets several threads listen on the same one. */
export type ListenAddress = { readonly fd: number } | { readonly host: string; readonly port: number; readonly reusePort?: boolean };

/**
 * Connections that may wait to be accepted, as far as the kernel allows (`net.core.somaxconn`). Beyond it a client believes itself
 * connected and its first bytes are dropped: with Node's 511, two thousand clients that came back at once waited up to a second.
 */
const BACKLOG = 65_535;

export interface ClientListenerOptions {
  readonly transport: TransportKind;
  /** Connections are encrypted, and then read and written by documented interfaces whatever `transport` says. */
  readonly tls: TlsChooser | undefined;
  /** Proxies in front that begin each connection with a PROXY header; connections are then driven by documented interfaces. */
  readonly proxied?: ProxyTrust | undefined;
  /** Into which the quicker transports read; several listeners may share it. */
  readonly readBuffer: Buffer;
  readonly onAccepted: (connection: AcceptedConnection) => void;
  /** An accept failed; the listener goes on. */
  readonly onFailure: (error: unknown) => void;
}

type BeginHandshake = (socket: Socket, events: HandshakeEvents) => PendingHandshake;

/** Accepts clients on one address. */
export class ClientListener {
  readonly #options: ClientListenerOptions;
  readonly #server: Server;
  #beginHandshake: BeginHandshake | undefined;
  #closed = false;

  constructor(options: ClientListenerOptions) {
    this.#options = options;
    const preludes = options.proxied === undefined ? undefined : new ProxyPreludes(options.proxied);
    const accept = (socket: Socket, client?: ProxiedClient): void =>
      options.onAccepted(new SocketConnection(socket, this.#beginHandshake, client));
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (preludes?.concerns(socket) === true) preludes.read(socket, (client) => accept(socket, client));
      else accept(socket);
    });
  }

  /** Rejects with the system's error where the address cannot be had, and where it was closed meanwhile. */
  async listen(where: ListenAddress): Promise<{ readonly port: number }> {
    const { tls } = this.#options;
    if (tls !== undefined) {
      // Loaded with the first listener that encrypts: every worker would pay 6 MB for it.
      const { ServerHandshake } = await import('../tls/server-handshake.ts');
      this.#beginHandshake = (socket, events) => new ServerHandshake(socket, tls, events);
      if (this.#closed) throw new Error('the listener was closed before it could listen');
    }
    return await this.#open(where);
  }

  /** Accepts nothing more; what was accepted goes on. */
  close(): void {
    this.#closed = true;
    this.#server.close();
  }

  #open(where: ListenAddress): Promise<{ readonly port: number }> {
    const server = this.#server;
    const { transport, tls, proxied, readBuffer, onAccepted, onFailure } = this.#options;
    const isQuick = transport !== 'documented' && tls === undefined && proxied === undefined;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, BACKLOG, () => {
        server.off('error', reject);
        server.on('error', onFailure);
        try {
          if (isQuick) takeConnections(server, readBuffer, transport === 'handle', onAccepted);
        } catch (error) {
          server.close();
          reject(error);
          return;
        }
        const address = server.address();
        resolve({ port: typeof address === 'object' && address !== null ? address.port : 0 });
      });
    });
  }
}

/** An accepted connection that Node has made a socket for. */
class SocketConnection implements AcceptedConnection {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;
  readonly localPort: number;
  readonly secure: AcceptedConnection['secure'];
  readonly #socket: Socket;

  /** `client`: who a proxy in front says that it is. The socket may be paused, with bytes put back. */
  constructor(socket: Socket, beginHandshake: BeginHandshake | undefined, client: ProxiedClient | undefined) {
    this.remoteAddress = client?.address ?? socket.remoteAddress;
    this.remotePort = client?.port ?? socket.remotePort ?? 0;
    this.localPort = socket.localPort ?? 0;
    this.secure =
      beginHandshake === undefined
        ? undefined
        : (events) => {
            const pending = beginHandshake(socket, events);
            socket.resume();
            return pending;
          };
    this.#socket = socket;
  }

  localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  open(receiver: TransportReceiver): Transport {
    const transport = new SocketTransport(this.#socket, receiver, true);
    // Takes effect behind this turn, so that the receiver may still pause it.
    this.#socket.resume();
    return transport;
  }

  refuse(): void {
    this.#socket.on('error', () => {});
    this.#socket.destroy();
  }
}
