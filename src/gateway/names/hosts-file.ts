import { canonicalAddress } from '../../lib/canonical-address.ts';

/** Names, in lower case, with their addresses in canonical spelling, as the text of a hosts file (hosts(5)) gives them. Lines that say nothing valid are skipped. */
export function parseHostsFile(text: string): ReadonlyMap<string, readonly string[]> {
  const addresses = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const canonical = canonicalAddress(address);
    if (canonical === undefined) continue;
    for (const name of names.map((each) => each.toLowerCase())) {
      const known = addresses.get(name);
      if (known === undefined) addresses.set(name, [canonical]);
      else if (!known.includes(canonical)) known.push(canonical);
    }
  }
  return addresses;
}
