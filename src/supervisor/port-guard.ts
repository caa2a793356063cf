import { once } from 'node:events';
import net from 'node:net';

/** A claim on an address and port that the kernel drops when its process dies. */
export interface PortGuard {
  release(): void;
}

/**
 * Claims an address and port of this machine for one supervisor. Sockets that share a port do not notice one another before somebody listens,
 * so two instances that start at the same moment would divide each other's connections. The claim is a socket in Linux's abstract
 * name space, which is as wide as the port's: one network name space.
 *
 * @returns undefined when another instance has it. Elsewhere than on Linux ports are not shared, and the claim is always had.
 */
export async function guardPort({ host, port }: { readonly host: string; readonly port: number }): Promise<PortGuard | undefined> {
  if (process.platform !== 'linux') return { release: () => {} };
  const server = net.createServer((socket) => socket.destroy());
  server.unref();
  try {
    server.listen(`\0portcullis-${host}-${port}`);
    await once(server, 'listening');
    return { release: () => server.close() };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
