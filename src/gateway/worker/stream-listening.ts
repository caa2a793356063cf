import { DatagramServer, type StreamHandler, StreamServer, type StreamServerOptions, type TlsChooser } from '../../engine/index.ts';
import { closeSocket } from '../../lib/close-socket.ts';
import type { WorkerStreamSocket } from './worker-messages.ts';

/** What the servers for streams are made from. */
export interface StreamListeningOptions extends Omit<StreamServerOptions, 'handler'> {
  readonly handler: () => StreamHandler;
  /** Whom clients get that speak TLS. */
  readonly hosts: TlsChooser;
  /** Most UDP sessions at once. */
  readonly mostSessions: number;
}

interface Servers {
  readonly tcp: StreamServer;
  readonly udp: DatagramServer;
}

/** A worker's listeners for streams. Where none are configured, nothing is made. */
export class StreamListening {
  readonly #options: StreamListeningOptions;
  /** What is spoken inside is nobody's business here. */
  readonly #chooser: TlsChooser;
  #servers: Servers | undefined;
  /** A UDP socket needs no accepting and stays when that is paused. */
  #receives = false;

  constructor(options: StreamListeningOptions) {
    this.#options = options;
    this.#chooser = {
      termsFor: (hello) => {
        const terms = options.hosts.termsFor(hello);
        return terms === undefined ? undefined : { ...terms, protocols: [] };
      },
    };
  }

  /** The ports in the order of the sockets. Rejects with the system's error where an address cannot be had. */
  async listen(sockets: readonly WorkerStreamSocket[]): Promise<readonly number[]> {
    if (sockets.length === 0) return [];
    const { tcp, udp } = this.#made();
    const ports: number[] = [];
    for (const { protocol, fds, host, port, reusePort } of sockets) {
      const [first, ...others] = fds.length === 0 ? [{ host, port, reusePort }] : fds.map((fd) => ({ fd, host }));
      if (first === undefined) continue;
      if (protocol !== 'udp') {
        const tls = protocol === 'tls' ? this.#chooser : undefined;
        ports.push((await tcp.listen(first, tls)).port);
        for (const other of others) await tcp.listen(other, tls);
      } else if (this.#receives) {
        ports.push(port);
        for (const fd of fds) closeSocket(fd, 'udp');
      } else {
        ports.push((await udp.listen(first)).port);
      }
    }
    this.#receives = true;
    return ports;
  }

  /** No TCP connection is accepted any more; what was accepted goes on, and so does UDP. */
  pause(): void {
    this.#servers?.tcp.stopAccepting();
  }

  /** Nothing new is accepted. */
  stopAccepting(): void {
    this.#servers?.tcp.stopAccepting();
    this.#servers?.udp.stopAccepting();
  }

  async whenIdle(): Promise<void> {
    await Promise.all([this.#servers?.tcp.whenIdle(), this.#servers?.udp.whenIdle()]);
  }

  /** Ends all streams at once. */
  destroyAll(): void {
    this.#servers?.tcp.destroyAll();
    this.#servers?.udp.destroyAll();
  }

  /** Comes last. */
  close(): void {
    this.#servers?.udp.close();
  }

  #made(): Servers {
    if (this.#servers === undefined) {
      const { handler: makeHandler, ...options } = this.#options;
      const handler = makeHandler();
      this.#servers = { tcp: new StreamServer({ ...options, handler }), udp: new DatagramServer({ ...options, handler }) };
    }
    return this.#servers;
  }
}
