import { once } from 'node:events';
import type { Server } from 'node:http';
import net from 'node:net';
import type { Listener } from './listener.ts';

/** What a group of servers is made of. */
export interface ListeningServersOptions {
  readonly listeners: readonly Listener[];
  /** One server for each listener: a server of Node listens once. */
  readonly createServer: () => Server;
}

/**
 * HTTP servers that act as one: they listen on all listeners or on none, and end together.
 *
 * @throws the system's error (`EADDRINUSE`, …) when a listener cannot be used; nothing listens then.
 */
export async function listenOnAll(options: ListeningServersOptions): Promise<ListeningServers> {
  const servers: Server[] = [];
  try {
    for (const listener of options.listeners) {
      const server = options.createServer();
      servers.push(server);
      if (listener.kind === 'descriptor') server.listen({ fd: listener.fd });
      else server.listen({ host: listener.host, port: listener.port });
      await once(server, 'listening');
      // A failed accept (no descriptor left) is told as an error of the server; the connection waits in the queue meanwhile.
      server.on('error', () => {});
    }
  } catch (error) {
    await Promise.all(servers.map(closeServer));
    throw error;
  }
  return new ListeningServers(servers);
}

/** Servers that listen. */
export class ListeningServers {
  readonly #servers: readonly Server[];

  constructor(servers: readonly Server[]) {
    this.#servers = servers;
  }

  /** The port of each listener, in their order. */
  get ports(): readonly number[] {
    return this.#servers.map((server) => {
      const address = server.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    });
  }

  /** Accepts nothing new. Connections stay: one that has just been accepted counts as idle too, and its request is on its way. */
  stopAccepting(): void {
    for (const server of this.#servers) net.Server.prototype.close.call(server);
  }

  /** Accepts nothing new and closes idle connections; resolves when the last connection has ended. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map(closeServer));
  }

  /** Ends every connection, whatever it is doing. */
  cutConnections(): void {
    for (const server of this.#servers) server.closeAllConnections();
  }
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
