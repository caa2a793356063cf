import { NetworkSet } from './network-set.ts';

/**
 * Addresses and networks (`10.0.0.0/8`, `::1`) as a set in which addresses can be looked up; undefined for none.
 * @throws RangeError that names what is neither an address nor a network
 */
export function networkList(texts: readonly string[]): NetworkSet | undefined {
  return texts.length === 0 ? undefined : new NetworkSet(texts);
}
