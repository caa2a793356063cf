import type { HttpServer, TlsChooser } from '../../engine/index.ts';
import { closeSocket } from '../../lib/close-socket.ts';
import type { Logger } from '../../observability/logger.ts';
import type { WorkerMessage, WorkerSocket } from './worker-messages.ts';

/** What listening with TLS needs of its worker. */
export interface TlsListeningOptions {
  readonly server: Pick<HttpServer, 'listen'>;
  readonly hosts: TlsChooser & { readonly isEmpty: boolean };
  readonly post: (message: WorkerMessage) => void;
  readonly log: Logger;
}

/** Opens the sockets on which clients speak TLS, with the first certificate: until then nobody could be answered there. They stay open. */
export class TlsListening {
  readonly #options: TlsListeningOptions;
  /** Not opened yet. */
  #sockets: readonly WorkerSocket[] = [];

  constructor(options: TlsListeningOptions) {
    this.#options = options;
  }

  /** The worker begins to listen on all its sockets; of those in place of which others are given none is open any more. */
  async begin(sockets: readonly WorkerSocket[]): Promise<void> {
    this.#sockets = sockets;
    if (!this.#options.hosts.isEmpty) await this.#open();
  }

  /** Opens what is to be opened and is not yet. Never rejects. */
  async openIfCertified(): Promise<void> {
    if (this.#sockets.length === 0 || this.#options.hosts.isEmpty) return;
    try {
      await this.#open();
    } catch (error) {
      this.#options.log.error('the HTTPS address cannot be listened on', {}, error);
    }
  }

  /** Lets go of what is not open: as long as a copy of a descriptor is, the kernel would accept connections that nobody reads. */
  stop(): void {
    for (const { fds } of this.#sockets) for (const fd of fds) closeSocket(fd, 'tcp');
    this.#sockets = [];
  }

  async #open(): Promise<void> {
    const { server, hosts, post } = this.#options;
    const sockets = this.#sockets;
    this.#sockets = [];
    const ports: number[] = [];
    for (const { fds, host, port, reusePort } of sockets) {
      const [first, ...others] = fds.length === 0 ? [{ host, port, reusePort }] : fds.map((fd) => ({ fd }));
      if (first !== undefined) ports.push((await server.listen(first, hosts)).port);
      for (const other of others) await server.listen(other, hosts);
    }
    if (ports.length > 0) post({ kind: 'listening-encrypted', ports });
  }
}
