import { parseIPv6 } from './ip-address.ts';

/** What counts as one client: an IPv4 address, or the /64 of an IPv6 address, which one customer has to himself (RFC 6177). */
export function addressGroup(canonicalAddress: string): string {
  if (!canonicalAddress.includes(':')) return canonicalAddress;
  const groups = parseIPv6(canonicalAddress);
  return groups === undefined ? canonicalAddress : groups.slice(0, 4).join(':');
}
