/** An IP address in its one canonical spelling (IPv4-mapped is IPv4, no zone, RFC 5952 for IPv6), or undefined when the text is no address. */
export function canonicalAddress(text: string): string | undefined {
  return text;
}
