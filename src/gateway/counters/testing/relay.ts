import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { TestCertificate } from '../../../../test-support/test-certificate.ts';

/** Stands between a client and a server, and can be told to be a bad connection. */
export interface Relay {
  readonly port: number;
  /** Connections that there are, and that there ever were. */
  readonly open: number;
  readonly accepted: number;
  /** True: what the server says is kept back. */
  silent: boolean;
  /** Breaks all connections. */
  cut(): void;
}

/** Relays to a port on this machine, over TLS where there is a certificate. */
export async function startRelay(test: TestContext, targetPort: number, certificate?: TestCertificate): Promise<Relay> {
  const sockets = new Set<Socket>();
  const state = { silent: false, accepted: 0 };
  const accept = (client: Socket): void => {
    state.accepted++;
    const server = connect(targetPort, '127.0.0.1');
    sockets.add(client);
    client.pipe(server);
    server.on('data', (bytes) => state.silent || client.write(bytes));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(client);
        other.destroy();
      });
    }
  };
  const listener: Server = certificate === undefined ? createServer(accept) : createTlsServer(certificate, accept);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  test.after(async () => {
    cut();
    listener.close();
    await once(listener, 'close');
  });
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    cut,
    get open() {
      return sockets.size;
    },
    get accepted() {
      return state.accepted;
    },
    get silent() {
      return state.silent;
    },
    set silent(value) {
      state.silent = value;
    },
  };
}
