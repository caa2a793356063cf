import type { Socket } from 'node:net';
import { canonicalAddress } from '../../lib/canonical-address.ts';
import type { ClientConnection } from '../exchange.ts';

/** Who is at the other end; undefined when the client has gone before it was asked. */
export function clientOf(socket: Socket): ClientConnection | undefined {
  const { remoteAddress, remotePort, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined || localPort === undefined) return undefined;
  return { remoteAddress: canonicalAddress(remoteAddress) ?? remoteAddress, remotePort, localPort, encrypted: false };
}
