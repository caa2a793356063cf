import type { Listener } from '../../lib/listener.ts';
import { type BoundEndpoint, FIRST_INHERITED_DESCRIPTOR } from '../../supervisor/index.ts';

/** Collects the sockets that one child inherits and says under which numbers the child finds them. */
export class InheritedDescriptors {
  readonly #own: number[] = [];

  /** In the order in which they are to be handed down. */
  get own(): readonly number[] {
    return this.#own;
  }

  /** The number under which the child finds this descriptor. Each call gives the child one more copy. */
  add(fd: number): number {
    this.#own.push(fd);
    return FIRST_INHERITED_DESCRIPTOR + this.#own.length - 1;
  }

  /** A server that listens once in its process. */
  listeners(endpoint: BoundEndpoint): Listener[] {
    return endpoint.addresses.flatMap(({ host, sockets }) =>
      sockets.slice(0, 1).map(({ fd }): Listener => ({ kind: 'descriptor', fd: this.add(fd), host, port: endpoint.port })),
    );
  }

  /** For worker `index`: one entry an address, each with `acceptors` copies of that worker's socket for each of its generations. */
  copiesForWorker(endpoint: BoundEndpoint, index: number, generations: number, acceptors: number): number[][][] {
    return endpoint.addresses.map(({ sockets }) => {
      const socket = sockets[index];
      if (socket === undefined) return [];
      return Array.from({ length: generations }, () => Array.from({ length: acceptors }, () => this.add(socket.fd)));
    });
  }
}
