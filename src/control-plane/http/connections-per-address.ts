import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { addressGroup } from '../../lib/address-group.ts';
import { canonicalAddress } from '../../lib/canonical-address.ts';

/**
 * Closes connections of a server beyond `most` of one client address (IPv6: of one /64) as soon as they are there, before a handshake is paid
 * for, so that no single machine can take all that there may be. Trusted proxies speak for many and are not counted.
 */
export function limitConnectionsPerAddress(
  server: Pick<Server, 'on'>,
  most: number,
  isTrustedProxy: (address: string) => boolean,
  onRefused: (address: string) => void,
): void {
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress;
    // Gone already.
    if (peer === undefined) return;
    const address = canonicalAddress(peer) ?? peer;
    if (isTrustedProxy(address)) return;
    const group = addressGroup(address);
    const count = counts.get(group) ?? 0;
    if (count >= most) {
      socket.destroy();
      onRefused(address);
      return;
    }
    counts.set(group, count + 1);
    socket.once('close', () => {
      const left = (counts.get(group) ?? 1) - 1;
      if (left === 0) counts.delete(group);
      else counts.set(group, left);
    });
  });
}
