import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import { StartError } from '../errors/index.ts';

/** A TCP socket that is bound and not listening: whoever inherits its descriptor may listen on it. */
export interface BoundSocket {
  readonly fd: number;
  readonly host: string;
  readonly port: number;
  close(): void;
}

interface ServerHandle {
  readonly fd: number;
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
}

/** libuv's UV_TCP_REUSEPORT. */
const REUSE_PORT = 2;

type CreateServerHandle = (host: string, port: number, family: 4 | 6, fd: number, flags: number) => ServerHandle | number;

/**
 * Node has no documented way to bind without listening; `node:cluster` uses this function for it. A supervisor that listened
 * itself would take connections away from its children. Undefined where a Node lacks it: children then bind for themselves.
 */
function createServerHandleFunction(): CreateServerHandle | undefined {
  const candidate: unknown = Reflect.get(net, '_createServerHandle');
  return typeof candidate === 'function' ? (candidate as CreateServerHandle) : undefined;
}

/** Whether sockets can be bound here and handed down, several to one port. */
export function canHandDownSockets(): boolean {
  return process.platform === 'linux' && createServerHandleFunction() !== undefined;
}

/** Why a socket could not be bound, e.g. `EADDRINUSE`. */
export class BindError extends Error {
  readonly code: string;

  constructor(code: string, host: string, port: number) {
    super(`cannot bind ${host} port ${port}: ${code}`);
    this.name = 'BindError';
    this.code = code;
  }
}

/**
 * Binds one socket. With `reusePort` several sockets may share the port and the kernel spreads connections over those that listen.
 *
 * @throws BindError
 */
export function bindSocket(
  address: { readonly host: string; readonly port: number },
  options: { readonly reusePort: boolean },
): BoundSocket {
  const create = createServerHandleFunction();
  if (create === undefined) throw new StartError('This Node cannot bind sockets for its children.');
  const family = net.isIPv6(address.host) ? 6 : 4;
  const handle = create(address.host, address.port, family, -1, options.reusePort ? REUSE_PORT : 0);
  if (typeof handle === 'number') throw new BindError(getSystemErrorName(handle), address.host, address.port);
  const name: { address?: string; port?: number } = {};
  // libuv keeps EADDRINUSE of a bind back until the next call.
  const status = handle.getsockname(name);
  if (status !== 0) {
    handle.close();
    throw new BindError(getSystemErrorName(status), address.host, address.port);
  }
  return { fd: handle.fd, host: address.host, port: name.port ?? address.port, close: () => handle.close() };
}

/**
 * Whether somebody listens on the address already. Needed because sockets that share a port do not notice one another.
 *
 * @returns the error's code, or undefined when the address is free. Port 0 is always free.
 */
export async function probeAddress(address: { readonly host: string; readonly port: number }): Promise<string | undefined> {
  if (address.port === 0) return undefined;
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: address.host, port: address.port, exclusive: true, ipv6Only: false }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}
