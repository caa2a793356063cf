import { formatIPv4, formatIPv6, parseIPv4, parseIPv6 } from './ip-address.ts';

/**
 * An IP address in its one canonical spelling: IPv4-mapped IPv6 is IPv4, a zone is dropped, IPv6 is written as RFC 5952 says.
 * Undefined when the text is no address. Two texts name the same address exactly when their canonical spellings are equal.
 */
export function canonicalAddress(text: string): string | undefined {
  const bits = parseIPv4(text);
  if (bits !== undefined) return formatIPv4(bits);
  const groups = parseIPv6(text);
  if (groups === undefined) return undefined;
  return isIPv4Mapped(groups) ? formatIPv4(lowestBits(groups)) : formatIPv6(groups);
}

/** `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
function isIPv4Mapped(groups: readonly number[]): boolean {
  return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
}

function lowestBits(groups: readonly number[]): number {
  return (groups[6] ?? 0) * 0x10000 + (groups[7] ?? 0);
}
