import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

interface Newcomer {
  /** The encrypted one as soon as there is one. */
  socket: Duplex;
}

/**
 * The clients of a TLS server that have not shown yet who they are, from the first packet on: beyond `most` the one that has been here longest
 * is ended. Who means well stays a newcomer for some milliseconds, so that a flood that says nothing takes neither descriptors nor anybody's place.
 */
export class Newcomers {
  readonly #most: number;
  /** By peer, which is all that a socket and the encrypted one upon it have in common; who came first stands first. */
  readonly #all = new Map<string, Newcomer>();

  constructor(server: Pick<Server, 'on'>, most: number) {
    this.#most = most;
    server.on('connection', (socket: Socket) => this.#add(socket));
    server.on('secureConnection', (socket: Socket) => {
      const newcomer = this.#all.get(peerOf(socket));
      if (newcomer !== undefined) newcomer.socket = socket;
    });
  }

  /** It has shown who it is, and belongs to somebody else from now on. */
  known(socket: Duplex): void {
    this.#all.delete(peerOf(socket));
  }

  /** Ends them all: a server does not close before they are gone. */
  destroyAll(): void {
    for (const { socket } of this.#all.values()) socket.destroy();
  }

  #add(socket: Socket): void {
    const peer = peerOf(socket);
    const newcomer: Newcomer = { socket };
    const [first] = this.#all.values();
    if (this.#all.size >= this.#most) first?.socket.destroy();
    this.#all.set(peer, newcomer);
    socket.once('close', () => {
      if (this.#all.get(peer) === newcomer) this.#all.delete(peer);
    });
  }
}

function peerOf(socket: Duplex & { readonly remoteAddress?: string | undefined; readonly remotePort?: number | undefined }): string {
  return `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
}
