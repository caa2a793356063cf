import type { Socket } from 'node:net';
import type { ClientConnection } from '../exchange.ts';

const MAPPED_PREFIX = '::ffff:';

/** One spelling for each address: IPv4-mapped IPv6 becomes IPv4, a zone is dropped. */
export function canonicalAddress(address: string): string {
  const zone = address.indexOf('%');
  const bare = zone === -1 ? address : address.slice(0, zone);
  const mapped = bare.toLowerCase().startsWith(MAPPED_PREFIX) && bare.includes('.');
  return mapped ? bare.slice(MAPPED_PREFIX.length) : bare;
}

/** Who is at the other end; undefined when the client has gone before it was asked. */
export function clientOf(socket: Socket): ClientConnection | undefined {
  const { remoteAddress, remotePort, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined || localPort === undefined) return undefined;
  return { remoteAddress: canonicalAddress(remoteAddress), remotePort, localPort, encrypted: false };
}
