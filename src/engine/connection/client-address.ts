import { canonicalAddress } from '../../lib/canonical-address.ts';
import type { ClientConnection } from '../exchange.ts';
import type { AcceptedConnection } from '../transport/accepted-connection.ts';

/** Who is at the other end, in clear so far; undefined when the client has gone before it was asked. */
export function clientOf(accepted: AcceptedConnection): ClientConnection | undefined {
  const { remoteAddress, remotePort, localPort } = accepted;
  if (remoteAddress === undefined) return undefined;
  const localAddress = (): string | undefined => {
    const address = accepted.localAddress();
    return address === undefined ? undefined : canonicalAddress(address);
  };
  return {
    remoteAddress: canonicalAddress(remoteAddress) ?? remoteAddress,
    remotePort,
    localPort,
    localAddress,
    encrypted: false,
    tls: undefined,
    httpVersion: 1,
    context: undefined,
  };
}
