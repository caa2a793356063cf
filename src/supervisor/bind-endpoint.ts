import { StartError } from '../errors/index.ts';
import { BindError, type BoundSocket, bindSocket, probeAddress } from './bound-socket.ts';
import { guardPort, type PortGuard } from './port-guard.ts';

/** One port with its addresses, as configured. */
export interface Endpoint {
  /** For messages, e.g. `--http-port`. */
  readonly flag: string;
  readonly port: number;
  /** Empty: all addresses of both families. */
  readonly hosts: readonly string[];
}

/** The sockets of an endpoint: one group per address, each with `copies` sockets that share the port. */
export interface BoundEndpoint {
  readonly port: number;
  readonly addresses: readonly BoundAddress[];
}

/** One address with its sockets, and the claim that keeps other supervisors away. */
export interface BoundAddress {
  readonly host: string;
  readonly sockets: readonly BoundSocket[];
  readonly guard: PortGuard;
}

/** A machine without IPv6 is no reason to refuse. */
export const NO_SUCH_FAMILY = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL'];

/**
 * Binds an endpoint, `copies` sockets an address.
 *
 * With port 0 the first address picks a free port and the others follow.
 * @throws StartError in one sentence: port in use, no right to a low port, no such address.
 */
export async function bindEndpoint(endpoint: Endpoint, copies: number): Promise<BoundEndpoint> {
  const everywhere = endpoint.hosts.length === 0;
  const hosts = everywhere ? ['::'] : endpoint.hosts;
  const addresses: BoundAddress[] = [];
  let port = endpoint.port;
  for (const host of hosts) {
    const group = await bindGroup({ host, port }, copies).catch(async (error: unknown) => {
      if (!(error instanceof BindError) || !NO_SUCH_FAMILY.includes(error.code)) throw explainBindFailure(error, endpoint, host);
      if (everywhere) return bindGroup({ host: '0.0.0.0', port }, copies);
      if (host === '::1') return undefined;
      throw explainBindFailure(error, endpoint, host);
    });
    if (group === undefined) continue;
    port = group.port;
    addresses.push(group);
  }
  return { port, addresses };
}

async function bindGroup(
  address: { readonly host: string; readonly port: number },
  copies: number,
): Promise<BoundAddress & { readonly port: number }> {
  const problem = await probeAddress(address);
  if (problem !== undefined) throw new BindError(problem, address.host, address.port);
  const first = bindSocket(address, { reusePort: true });
  const guard = await guardPort(first);
  if (guard === undefined) {
    first.close();
    throw new BindError('EADDRINUSE', address.host, address.port);
  }
  const sockets = [first];
  for (let copy = 1; copy < copies; copy++) sockets.push(bindSocket({ host: address.host, port: first.port }, { reusePort: true }));
  return { host: address.host, port: first.port, sockets, guard };
}

/** What a person is told of a `BindError`; any other error as it is. */
export function explainBindFailure(error: unknown, endpoint: Endpoint, host: string): unknown {
  if (!(error instanceof BindError)) return error;
  const where = endpoint.hosts.length === 0 ? '' : ` on ${host}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(
        `Port ${endpoint.port}${where} is in use: end the program that uses it, or choose another port with ${endpoint.flag}.`,
      );
    case 'EACCES':
      return new StartError(
        `Port ${endpoint.port}${where} may not be opened by this user: choose a port above 1023 with ${endpoint.flag}, or start as root with --user.`,
      );
    case 'EADDRNOTAVAIL':
      return new StartError(`This machine has no address ${host}: correct ${endpoint.flag.replace('-port', '-listen')}.`);
    default:
      return new StartError(`Port ${endpoint.port}${where} could not be opened (${error.code}).`, { cause: error });
  }
}
