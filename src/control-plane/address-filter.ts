import { networkList } from '../lib/network-list.ts';

/** Whether a canonical address lies in one of these addresses and networks; all do where there is no list. A connection that is gone has none. */
export function addressFilter(networks: readonly string[]): (address: string) => boolean {
  const list = networkList(networks);
  return list === undefined ? () => true : (address) => list.has(address);
}

/** Whether a canonical address is that of a proxy whose word counts for whom it speaks; none is where there is no list. */
export function trustedProxies(networks: readonly string[]): (address: string) => boolean {
  const list = networkList(networks);
  return (address) => list?.has(address) === true;
}
