import { isIPv6 } from 'node:net';
import { networkList } from '../lib/network-list.ts';

/** Whether a canonical address lies in one of these addresses and networks; all do where there is no list. */
export function addressFilter(networks: readonly string[]): (address: string) => boolean {
  const list = networkList(networks);
  if (list === undefined) return () => true;
  return (address) => {
    try {
      return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
    } catch {
      // No address at all: the connection is gone.
      return false;
    }
  };
}
