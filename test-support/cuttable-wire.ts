import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** What stands between a client and a server, and can be cut. */
export interface CuttableWire {
  /** The server's, through the wire. */
  readonly url: string;
  /** Resets all connections. */
  cut(): void;
  /** Whether new connections are reset. */
  refuse(isRefusing: boolean): void;
  /** Whether nothing goes through, although connections stand. */
  swallow(isSwallowing: boolean): void;
}

/** Lays a wire to the server of a database URL. */
export async function startCuttableWire(context: Pick<TestContext, 'after'>, url: string): Promise<CuttableWire> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let isRefusing = false;
  let isSwallowing = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    if (isRefusing) return client.resetAndDestroy();
    const upstream = dial(Number(target.port || '5432'), target.hostname);
    keep(upstream);
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (bytes) => isSwallowing || to.write(bytes)).on('close', () => to.destroy());
    };
    pass(client, upstream);
    pass(upstream, client);
    return undefined;
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  context.after(() => {
    cut();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(address.port);
  return {
    url: through.href,
    cut,
    refuse: (value) => {
      isRefusing = value;
    },
    swallow: (value) => {
      isSwallowing = value;
    },
  };
}
